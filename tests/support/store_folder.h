// A folder of its own for a spool, and a store in it that is asked and answers at once.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store/store.h"
#include "support/on_loop.h"

namespace outrigger::test {

inline store::Row RowOf(const std::string& key, std::string value) {
  store::Row row;
  row.event_id = value;
  row.source = "/app";
  row.record.topic = "user.events";
  row.record.key = key;
  row.record.value = std::move(value);
  return row;
}

class StoreFolder : public testing::Test {
 protected:
  explicit StoreFolder(const std::string& in = "/tmp") : folder_(in + "/outrigger-store-XXXXXX") {
    if (mkdtemp(folder_.data()) == nullptr) ADD_FAILURE() << folder_ << " can't be made";
  }
  ~StoreFolder() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  base::Result<void> Open(uint64_t max_bytes = 1 << 30) {
    store_.reset();
    auto opened = store::Store::Open(loop_, {folder_, max_bytes, on_commit_, on_salvage_});
    if (!opened) return base::Fail(opened.error());
    store_ = std::move(*opened);
    return {};
  }
  base::Result<store::Store::Placements> Put(std::vector<store::Row> rows) {
    std::optional<base::Result<store::Store::Placements>> result;
    store_->Put(std::move(rows), [&result](auto put) { result = std::move(put); });
    EXPECT_TRUE(RunUntil(loop_, [&result] { return result.has_value(); }));
    return std::move(*result);
  }
  template <typename Answer>
  Answer Ask(const std::function<void(store::Store::On<Answer>)>& question) {
    std::optional<base::Result<Answer>> answer;
    question([&answer](auto given) { answer = std::move(given); });
    EXPECT_TRUE(RunUntil(loop_, [&answer] { return answer.has_value(); }));
    EXPECT_TRUE(answer && *answer) << (answer ? answer->error().message : "");
    return answer && *answer ? std::move(**answer) : Answer();
  }
  store::SpoolTable::Page Read(int64_t after = 0) {
    return Ask<store::SpoolTable::Page>(
        [=, this](auto on) { store_->Read(after, 100'000, 1 << 30, on); });
  }
  std::vector<std::string> Values() {
    std::vector<std::string> values;
    for (const store::Row& row : Read().rows) values.push_back(*row.record.value);
    return values;
  }
  store::Store::QuarantinedRows Quarantined() {
    return Ask<store::Store::QuarantinedRows>(
        [this](auto on) { store_->ListQuarantine(0, 100'000, SIZE_MAX, on); });
  }
  std::string file() const { return folder_ + "/outrigger.db"; }
  void Execute(const std::string& sql) {
    ASSERT_TRUE(store::Database::Open(file())->Execute(sql)) << sql;
  }

  base::Loop loop_;
  store::Writer::OnCommit on_commit_;
  store::Writer::OnSalvage on_salvage_;
  std::string folder_;
  std::unique_ptr<store::Store> store_;
};

}  // namespace outrigger::test
