#include "kafka/delivery_reports.h"

#include <memory>
#include <utility>

namespace outrigger::kafka {

void DeliveryReports::OnStored(Entry* entry, Stored where) { Report(entry, where); }

void DeliveryReports::Refuse(Entry* entry, Refusal why) {
  why.possibly_stored |= entry->maybe_stored;
  entry->record.headers = entry->headers.Unpack();
  Report(entry, tl::unexpected(std::move(why)));
}

void DeliveryReports::Close(base::Loop& loop, base::Duration budget, std::function<void()> on_late,
                            std::function<void()> on_done) {
  close_.Begin(loop, budget, std::move(on_late), std::move(on_done));
  if (topics_.held().records == 0) close_.OnEmpty();
}

void DeliveryReports::Report(Entry* entry, const kafka::Report& report) {
  const std::unique_ptr<Entry> owned(entry);
  topics_.Release(*entry);
  entry->on_report(report, entry->record);
  if (topics_.held().records == 0) close_.OnEmpty();
}

}  // namespace outrigger::kafka
