#include "kafka/embedded.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "kafka/handle.h"

namespace outrigger::kafka {

// The mock cluster lives in a client that is used for nothing else.
struct EmbeddedBroker::Cluster {
  struct DestroyMock {
    void operator()(rd_kafka_mock_cluster_t* mock) const { rd_kafka_mock_cluster_destroy(mock); }
  };

  Owned<rd_kafka_t> owner;
  std::unique_ptr<rd_kafka_mock_cluster_t, DestroyMock> mock;
  std::string bootstrap;
};

EmbeddedBroker::EmbeddedBroker(std::unique_ptr<Cluster> cluster) : cluster_(std::move(cluster)) {}
EmbeddedBroker::~EmbeddedBroker() = default;

base::Result<std::unique_ptr<EmbeddedBroker>> EmbeddedBroker::Start(int brokers) {
  auto cluster = std::make_unique<Cluster>();
  Owned<rd_kafka_conf_t> conf(rd_kafka_conf_new());
  char reason[512];
  rd_kafka_conf_set(conf.get(), "log_level", "3", reason, sizeof reason);
  cluster->owner.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), reason, sizeof reason));
  if (!cluster->owner) {
    return base::Fail(
        {base::Code::kInternal, std::string("embedded broker: ") + reason, {}, false});
  }
  static_cast<void>(conf.release());  // the client owns it now
  cluster->mock.reset(rd_kafka_mock_cluster_new(cluster->owner.get(), brokers));
  if (!cluster->mock) {
    return base::Fail({base::Code::kUnavailable, "the embedded broker can't listen on loopback",
                       "is the limit of open files reached?", true});
  }
  cluster->bootstrap = rd_kafka_mock_cluster_bootstraps(cluster->mock.get());
  return std::unique_ptr<EmbeddedBroker>(new EmbeddedBroker(std::move(cluster)));
}

const std::string& EmbeddedBroker::bootstrap() const { return cluster_->bootstrap; }

void EmbeddedBroker::CreateTopic(const std::string& topic, int partitions, int replicas) {
  rd_kafka_mock_topic_create(cluster_->mock.get(), topic.c_str(), partitions, replicas);
}

void* EmbeddedBroker::native_handle() const { return cluster_->mock.get(); }

}  // namespace outrigger::kafka
