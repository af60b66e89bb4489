#include "kafka/fencing.h"

#include "kafka/handle.h"

namespace outrigger::kafka {
namespace {

constexpr int kTimeoutMs = 1000;

}  // namespace

bool HasInstance(rd_kafka_t* rk, const std::string& group, const std::string& instance_id) {
  const char* name = group.c_str();
  const Owned<rd_kafka_AdminOptions_t> options(
      rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS));
  rd_kafka_AdminOptions_set_request_timeout(options.get(), kTimeoutMs, nullptr, 0);
  const Owned<rd_kafka_queue_t> answers(rd_kafka_queue_new(rk));
  rd_kafka_DescribeConsumerGroups(rk, &name, 1, options.get(), answers.get());
  const Owned<rd_kafka_event_t> answer(rd_kafka_queue_poll(answers.get(), 2 * kTimeoutMs));
  if (!answer || rd_kafka_event_error(answer.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) return false;
  size_t count = 0;
  const auto** groups = rd_kafka_DescribeConsumerGroups_result_groups(
      rd_kafka_event_DescribeConsumerGroups_result(answer.get()), &count);
  for (size_t i = 0; i < count; ++i) {
    const size_t members = rd_kafka_ConsumerGroupDescription_member_count(groups[i]);
    for (size_t n = 0; n < members; ++n) {
      const char* id = rd_kafka_MemberDescription_group_instance_id(
          rd_kafka_ConsumerGroupDescription_member(groups[i], n));
      if (id != nullptr && id == instance_id) return true;
    }
  }
  return false;
}

}  // namespace outrigger::kafka
