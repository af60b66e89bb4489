// A broker inside the process, for trying out and for tests: librdkafka's mock cluster on loopback
// ports.
//
// In memory, 5 MB a partition, topics of 4 partitions made on first use, consumer groups work; no
// topic admin, no lookup by time. Thread: any. Lifetime: its clients go first.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace outrigger::kafka {

class EmbeddedBroker {
 public:
  static base::Result<std::unique_ptr<EmbeddedBroker>> Start(int brokers = 1);
  ~EmbeddedBroker();

  const std::string& bootstrap() const;  // "127.0.0.1:41234"

  void CreateTopic(const std::string& topic, int partitions, int replicas = 1);

  // For tests: rd_kafka_mock_cluster_t*, to inject faults.
  void* native_handle() const;

 private:
  struct Cluster;
  explicit EmbeddedBroker(std::unique_ptr<Cluster> cluster);
  std::unique_ptr<Cluster> cluster_;
};

}  // namespace outrigger::kafka
