// Reads pages of the spool. While a page is looked at, the disk reads the one behind it.
//
// A page that is looked at in part is kept: what has no room yet is not read from the disk again.
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
  // Returns how many of the rows it has looked at. The others are shown to the next question, if
  // that is for what is behind the last one looked at; `damaged` is then shown again, too.
  using OnPage = std::function<size_t(Page&)>;

  SpoolReader(store::Store& store, LeftRows& left) : store_(store), left_(left) {}

  // The rows behind `after`; one question at a time. `on_page` may come inside the call.
  void Read(int64_t after, OnPage on_page);

 private:
  // The page that is asked for, or is here and was not shown.
  struct Asked {
    int64_t after = 0;
    uint64_t number = 0;
    std::optional<Page> page;
  };
  // The rows of a page that were shown and not looked at.
  struct Kept {
    int64_t after = 0;
    Page page;
  };

  void Ask(int64_t after);
  void OnAnswer(uint64_t number, Page page);
  void ShowAsked();
  void Show(Kept shown);

  store::Store& store_;
  LeftRows& left_;
  OnPage on_page_;
  std::optional<Kept> kept_;
  std::optional<Asked> asked_;
  uint64_t questions_ = 0;
};

}  // namespace outrigger::publish
