#include "publish/spool_reader.h"

#include <algorithm>
#include <utility>

namespace outrigger::publish {
namespace {

constexpr size_t kPageRows = 512;
constexpr size_t kPageBytes = 1 << 20;

}  // namespace

void SpoolReader::Read(int64_t after, OnPage on_page) {
  on_page_ = std::move(on_page);
  if (asked_ && asked_->after == after) {
    if (asked_->page) Show();
    return;
  }
  if (asked_ && asked_->page) left_.OnLookedAt();
  Ask(after);
}

void SpoolReader::Ask(int64_t after) {
  const uint64_t number = ++questions_;
  asked_ = Asked{after, number, std::nullopt};
  left_.OnAsked();
  store_.Read(after, kPageRows, kPageBytes,
              [this, number](Page page) { OnAnswer(number, std::move(page)); });
}

void SpoolReader::OnAnswer(uint64_t number, Page page) {
  if (!asked_ || asked_->number != number) return left_.OnLookedAt();  // nobody wants it any more
  asked_->page = std::move(page);
  if (on_page_) Show();
}

void SpoolReader::Show() {
  const OnPage on_page = std::exchange(on_page_, nullptr);
  Page page = std::move(*asked_->page);
  asked_.reset();
  if (page && page->rows.size() + page->damaged.size() >= kPageRows) {
    int64_t last = page->rows.empty() ? 0 : page->rows.back().id;
    if (!page->damaged.empty()) last = std::max(last, page->damaged.back());
    Ask(last);
  }
  on_page(std::move(page));
  left_.OnLookedAt();
}

}  // namespace outrigger::publish
