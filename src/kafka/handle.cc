#include "kafka/handle.h"

#include <fstream>
#include <sstream>

#include "kafka/error_table.h"
#include "telemetry/log.h"

namespace outrigger::kafka {
namespace {

void OnLog(const rd_kafka_t*, int level, const char* facility, const char* text) {
  // librdkafka repeats itself while a broker is away; what matters of it reaches the conditions as
  // error events.
  static telemetry::LogLimit limit(std::chrono::seconds(10));
  const telemetry::Level mapped = level <= 3   ? telemetry::Level::kWarn
                                  : level <= 6 ? telemetry::Level::kInfo
                                               : telemetry::Level::kDebug;
  if (!telemetry::LogEnabled(mapped)) return;
  uint64_t held_back = 0;
  // Debug lines come only when somebody has asked for them (the property `debug`).
  const bool asked = mapped == telemetry::Level::kDebug;
  if (!asked && !limit.Allow(std::chrono::steady_clock::now(), held_back)) return;
  telemetry::Log(mapped, text,
                 {{"librdkafka", facility}, {"held_back", std::to_string(held_back)}});
}

base::Result<std::string> ReadSecret(const std::string& field, const std::string& file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  std::string secret = text.str();
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
  if (!in || secret.empty()) {
    return base::Fail(
        base::Error::Invalid("kafka.security." + field + ": " + file + " can't be read or is empty",
                             "mount the Secret there, with a key of that file name"));
  }
  return secret;
}

// `value`, or the content of the file that is named instead.
base::Result<std::string> Secret(const std::string& field, const std::string& value,
                                 const std::string& file) {
  return file.empty() ? base::Result<std::string>(value) : ReadSecret(field, file);
}

base::Result<PropertyList> SecurityProperties(const config::Security& security) {
  PropertyList properties{{"security.protocol", security.protocol}};
  const auto add = [&properties](const char* name, const std::string& value) {
    if (!value.empty()) properties.emplace_back(name, value);
  };
  if (security.mechanism == "OAUTHBEARER") {
    return base::Fail({base::Code::kUnsupported,
                       "kafka.security.mechanism: OAUTHBEARER is not in this version",
                       "use PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or client certificates", false});
  }
  auto username = Secret("usernameFile", security.username, security.username_file);
  if (!username) return base::Fail(username.error());
  auto password = Secret("passwordFile", security.password, security.password_file);
  if (!password) return base::Fail(password.error());
  auto key_password = Secret("keyPasswordFile", {}, security.key_password_file);
  if (!key_password) return base::Fail(key_password.error());
  add("sasl.mechanism", security.mechanism);
  add("sasl.username", *username);
  add("sasl.password", *password);
  add("ssl.ca.location", security.ca_file);
  add("ssl.certificate.location", security.cert_file);
  add("ssl.key.location", security.key_file);
  add("ssl.key.password", *key_password);
  return properties;
}

base::Result<void> Set(rd_kafka_conf_t* conf, const std::string& name, const std::string& value,
                       const std::string& where) {
  char reason[512];
  if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), reason, sizeof reason) ==
      RD_KAFKA_CONF_OK)
    return {};
  return base::Fail(base::Error::Invalid((where.empty() ? name : where) + ": " + reason,
                                         "see librdkafka's CONFIGURATION.md for names and values"));
}

base::Result<void> SetAll(rd_kafka_conf_t* conf, const config::Properties& properties) {
  for (const auto& [name, text] : properties) {
    const std::string where = (text.place.file.empty() ? "" : text.place.text() + ": ") + text.path;
    if (auto set = Set(conf, name, text.value, where); !set) return set;
  }
  return {};
}

constexpr uintptr_t kFollowed = 1;

// On the thread of a broker's connection, for each record that is decided. Only a broker's word
// counts: what librdkafka throws out by itself goes with all that is behind it (and locks are
// held). A topic that refuses what it gets refuses all of it.
rd_kafka_resp_err_t StopAtGap(rd_kafka_t* rk, rd_kafka_message_t* message, void*) {
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) return RD_KAFKA_RESP_ERR_NO_ERROR;
  const bool followed = (reinterpret_cast<uintptr_t>(message->_private) & kFollowed) != 0;
  if (followed && rd_kafka_message_broker_id(message) >= 0 &&
      MeaningOf(message->err).blame != Blame::kTopic)
    rd_kafka_test_fatal_error(rk, RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE,
                              rd_kafka_err2str(message->err));
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t AddStopAtGap(rd_kafka_t* rk, const rd_kafka_conf_t*, void*, char*, size_t) {
  return rd_kafka_interceptor_add_on_acknowledgement(rk, "outrigger", StopAtGap, nullptr);
}

bool Knows(rd_kafka_conf_t* conf, const char* name) {
  size_t size = 0;
  return rd_kafka_conf_get(conf, name, nullptr, &size) == RD_KAFKA_CONF_OK;
}

}  // namespace

base::Result<Owned<rd_kafka_conf_t>> ClientConf(const config::Kafka& kafka,
                                                const config::Properties& role,
                                                const PropertyList& promised) {
  Owned<rd_kafka_conf_t> conf(rd_kafka_conf_new());
  std::string brokers;
  for (const auto& broker : kafka.brokers) brokers += (brokers.empty() ? "" : ",") + broker;
  PropertyList base{{"bootstrap.servers", brokers},      {"client.id", kafka.client_id},
                    {"socket.keepalive.enable", "true"}, {"socket.nagle.disable", "true"},
                    {"reconnect.backoff.ms", "100"},     {"reconnect.backoff.max.ms", "5000"},
                    {"log.connection.close", "false"}};
  // KIP-714: the client's own metrics, to the broker. We show ours; and each client that never
  // found a broker takes a second to end, so that with many subscriptions REQUIRE_KAFKA answered
  // too late.
  if (const char* push = "enable.metrics.push"; Knows(conf.get(), push))
    base.emplace_back(push, "false");
  auto security = SecurityProperties(kafka.security);
  if (!security) return base::Fail(security.error());
  base.insert(base.end(), security->begin(), security->end());
  for (const auto& [name, value] : base)
    if (auto set = Set(conf.get(), name, value, {}); !set) return base::Fail(set.error());
  if (auto set = SetAll(conf.get(), kafka.properties); !set) return base::Fail(set.error());
  if (auto set = SetAll(conf.get(), role); !set) return base::Fail(set.error());
  for (const auto& [name, value] : promised)
    if (auto set = Set(conf.get(), name, value, {}); !set) return base::Fail(set.error());
  rd_kafka_conf_set_log_cb(conf.get(), OnLog);
  return conf;
}

base::Result<std::shared_ptr<Handle>> Handle::Producer(const config::Kafka& kafka) {
  // message.timeout.ms 0: no timer drops what waits. linger.ms 0 with a queue of our own: batches
  // form while the last one is undecided, and a lone event waits for nothing.
  auto conf = ClientConf(kafka, kafka.producer_properties,
                         {{"enable.idempotence", "true"},
                          {"acks", "all"},
                          {"linger.ms", "0"},
                          {"message.timeout.ms", "0"},
                          {"max.in.flight.requests.per.connection", "5"},
                          {"message.max.bytes", "104857600"},
                          {"batch.num.messages", "10000"},
                          {"queue.buffering.max.messages", "2000000"},
                          {"queue.buffering.max.kbytes", "1048576"},
                          {"topic.metadata.propagation.max.ms", "5000"}});
  if (!conf) return base::Fail(conf.error());
  rd_kafka_conf_set_events(conf->get(), RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR |
                                            RD_KAFKA_EVENT_DESCRIBECONFIGS_RESULT);
  rd_kafka_conf_interceptor_add_on_new(conf->get(), "outrigger", AddStopAtGap, nullptr);
  char reason[512];
  Owned<rd_kafka_t> rk(rd_kafka_new(RD_KAFKA_PRODUCER, conf->get(), reason, sizeof reason));
  // The client owns it now. Where there is none, librdkafka has freed the interceptors that the
  // configuration still names, and would free them again with it: that one is never freed.
  static_cast<void>(conf->release());
  if (!rk) return base::Fail(base::Error::Invalid(std::string("Kafka client: ") + reason));
  Owned<rd_kafka_queue_t> queue(rd_kafka_queue_get_main(rk.get()));
  return std::make_shared<Handle>(std::move(rk), std::move(queue));
}

Handle::~Handle() {
  // What librdkafka still holds is ours to send again; waiting for it would only take time.
  rd_kafka_purge(rk_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                RD_KAFKA_PURGE_F_NON_BLOCKING);
  rd_kafka_queue_io_event_enable(queue_.get(), -1, nullptr, 0);
  topics_.clear();
  queue_.reset();
}

std::optional<Handle::Fatal> Handle::fatal() const {
  char text[512] = "";
  const rd_kafka_resp_err_t error = rd_kafka_fatal_error(rk_.get(), text, sizeof text);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
  return Fatal{error, text};
}

void* Handle::Tag(void* object, bool followed) {
  return reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(object) | (followed ? kFollowed : 0));
}

void* Handle::Untag(void* tagged) {
  return reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(tagged) & ~kFollowed);
}

rd_kafka_topic_t* Handle::Topic(const std::string& name) {
  auto& topic = topics_[name];
  if (!topic) topic.reset(rd_kafka_topic_new(rk_.get(), name.c_str(), nullptr));
  return topic.get();
}

}  // namespace outrigger::kafka
