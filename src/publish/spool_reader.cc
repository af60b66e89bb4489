#include "publish/spool_reader.h"

#include <algorithm>
#include <utility>

namespace outrigger::publish {
namespace {

constexpr size_t kPageRows = 512;
constexpr size_t kPageBytes = 1 << 20;

bool IsEmpty(const SpoolReader::Page& page) {
  return page && page->rows.empty() && page->damaged.empty();
}

}  // namespace

void SpoolReader::Read(int64_t after, OnPage on_page) {
  on_page_ = std::move(on_page);
  if (auto kept = std::exchange(kept_, std::nullopt)) {
    if (kept->after <= after && after < kept->page->rows.front().id) return Show(std::move(*kept));
    left_.OnLookedAt();
  }
  // There may be rows by now where the disk found none.
  if (asked_ && asked_->after == after && !(asked_->page && IsEmpty(*asked_->page))) {
    if (asked_->page) ShowAsked();
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
  if (on_page_) ShowAsked();
}

void SpoolReader::ShowAsked() {
  Kept shown{asked_->after, std::move(*asked_->page)};
  asked_.reset();
  if (const Page& page = shown.page;
      page && page->rows.size() + page->damaged.size() >= kPageRows) {
    int64_t last = page->rows.empty() ? 0 : page->rows.back().id;
    if (!page->damaged.empty()) last = std::max(last, page->damaged.back());
    Ask(last);
  }
  Show(std::move(shown));
}

void SpoolReader::Show(Kept shown) {
  const size_t looked_at = std::exchange(on_page_, nullptr)(shown.page);
  if (!shown.page || looked_at == shown.page->rows.size()) return left_.OnLookedAt();
  if (looked_at > 0) shown.after = shown.page->rows[looked_at - 1].id;
  shown.page->rows.erase(shown.page->rows.begin(),
                         shown.page->rows.begin() + static_cast<ptrdiff_t>(looked_at));
  kept_ = std::move(shown);
}

}  // namespace outrigger::publish
