// librdkafka's objects, each with an owner from its birth, and a client's properties from the
// config.
//
// Thread: a Handle is shared between the flow's loop and the side thread that asks for metadata;
// librdkafka's calls are thread-safe. The last owner destroys it, which can block for a moment: the
// flow gives its share to the side thread.
#pragma once

#include <librdkafka/rdkafka.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "config/config.h"

namespace outrigger::kafka {

struct Destroy {
  void operator()(rd_kafka_conf_t* conf) const { rd_kafka_conf_destroy(conf); }
  void operator()(rd_kafka_t* rk) const { rd_kafka_destroy(rk); }
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
  void operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }
  void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
  void operator()(rd_kafka_headers_t* headers) const { rd_kafka_headers_destroy(headers); }
  void operator()(const rd_kafka_metadata_t* metadata) const {
    rd_kafka_metadata_destroy(metadata);
  }
  void operator()(rd_kafka_ConfigResource_t* config) const {
    rd_kafka_ConfigResource_destroy(config);
  }
  void operator()(rd_kafka_AdminOptions_t* options) const {
    rd_kafka_AdminOptions_destroy(options);
  }
};
template <class T>
using Owned = std::unique_ptr<T, Destroy>;

// The properties that every client has: brokers, client id, security (secrets read from their files
// now), then the config's own, then `promised`, which nothing overrides. A property that librdkafka
// refuses is an error that names it.
using PropertyList = std::vector<std::pair<std::string, std::string>>;
base::Result<Owned<rd_kafka_conf_t>> ClientConf(const config::Kafka& kafka,
                                                const config::Properties& role,
                                                const PropertyList& promised);

// A producer client and its queue, from which everything (reports, errors, admin results) comes as
// events.
class Handle {
 public:
  static base::Result<std::shared_ptr<Handle>> Producer(const config::Kafka& kafka);
  Handle(Owned<rd_kafka_t> rk, Owned<rd_kafka_queue_t> queue)
      : rk_(std::move(rk)), queue_(std::move(queue)) {}
  ~Handle();

  rd_kafka_t* rk() const { return rk_.get(); }
  rd_kafka_queue_t* queue() const { return queue_.get(); }
  // The topic's object, made once, until it is forgotten. The loop's thread.
  rd_kafka_topic_t* Topic(const std::string& name);
  void Forget(const std::string& topic) { topics_.erase(topic); }

  // Why librdkafka has given this client up, if it has: it will not send anything any more. Its
  // error events and reports have the cause's code, which others may have, too.
  struct Fatal {
    rd_kafka_resp_err_t error;
    std::string text;
  };
  std::optional<Fatal> fatal() const;

  // What librdkafka keeps with a record: the caller's object, and whether others of its partition
  // are given behind it. Where such a record is refused for good, the client gives up (fatal), as
  // it would send those behind it, and what was refused could only be sent after them.
  static void* Tag(void* object, bool followed);
  static void* Untag(void* tagged);

 private:
  Owned<rd_kafka_t> rk_;
  Owned<rd_kafka_queue_t> queue_;
  std::unordered_map<std::string, Owned<rd_kafka_topic_t>> topics_;
};

}  // namespace outrigger::kafka
