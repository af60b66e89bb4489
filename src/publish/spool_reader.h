// Reads pages of the spool. While a page is looked at, the disk reads the one behind it.
//
// Thread: the loop's. Lifetime: outlived by store and `left`; destroyed, it tells nothing more.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "publish/left_rows.h"
#include "store/store.h"

namespace outrigger::publish {

class SpoolReader {
 public:
  using Page = base::Result<store::SpoolTable::Page>;
  using OnPage = std::function<void(Page)>;

  SpoolReader(store::Store& store, LeftRows& left) : store_(store), left_(left) {}

  // The rows behind `after`; one question at a time. `on_page` may come inside the call.
  void Read(int64_t after, OnPage on_page);

 private:
  // The page that is asked for, or is here and not looked at.
  struct Asked {
    int64_t after = 0;
    uint64_t number = 0;
    std::optional<Page> page;
  };

  void Ask(int64_t after);
  void OnAnswer(uint64_t number, Page page);
  void Show();

  store::Store& store_;
  LeftRows& left_;
  OnPage on_page_;
  std::optional<Asked> asked_;
  uint64_t questions_ = 0;
};

}  // namespace outrigger::publish
