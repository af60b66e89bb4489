#include "deliver/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outrigger::deliver {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> Problems(const std::string& first, const std::string& second,
                                  const std::string& group_of_second) {
  config::Config config;
  for (const auto& [name, group] :
       {std::pair(first, std::string("g")), std::pair(second, group_of_second)}) {
    config::Subscription subscription;
    subscription.place = {"c.yaml", 4 + static_cast<int>(config.subscriptions.size()), 5};
    subscription.path = "subscriptions[" + std::to_string(config.subscriptions.size()) + "]";
    subscription.name = name;
    subscription.group = group;
    subscription.deliver.url = {"http://a/", {}, "test"};
    config.subscriptions.push_back(std::move(subscription));
  }
  std::vector<std::string> texts;
  for (const auto& problem : Check(config)) texts.push_back(problem.text());
  return texts;
}

// Two words with one CRC-32.
TEST(Check, NamesThatACommitCouldNotTellApartAreRefused) {
  EXPECT_THAT(Problems("plumless", "buckeroo", "g"),
              ElementsAre(testing::HasSubstr(
                  "c.yaml:5:5: subscriptions[1].name: can't be told from `plumless` "
                  "(subscriptions[0] on line 4) in the commits of group `g`")));
  EXPECT_THAT(Problems("plumless", "buckeroo", "another"), IsEmpty());
  EXPECT_THAT(Problems("a", "b", "g"), IsEmpty());
}

}  // namespace
}  // namespace outrigger::deliver
