#include "store/row_columns.h"

#include <utility>

#include "store/record_reader.h"

namespace outrigger::store {

const std::string kRowColumns =
    "id, crc, bytes, event_id, source, target, fingerprint, topic, partition, timestamp_ms, "
    "dead_letter, accepted_ms, key, value, headers";
const std::string kRowParameters = "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?";

void BindRow(Statement& statement, const Row& row, const std::optional<std::string>& headers) {
  statement.Bind(1, row.id);
  statement.Bind(2, int64_t{ChecksumOf(row, *headers)});
  statement.Bind(3, static_cast<int64_t>(row.bytes()));
  statement.Bind(4, row.event_id);
  statement.Bind(5, row.source);
  statement.Bind(6, int64_t{row.target});
  statement.Bind(7, static_cast<int64_t>(row.fingerprint));
  statement.Bind(8, row.record.topic);
  statement.Bind(9, int64_t{row.record.partition});
  statement.Bind(10, row.record.timestamp_ms);
  statement.Bind(11, row.dead_letter);
  statement.Bind(12, row.accepted_ms);
  statement.BindBytes(13, row.record.key);
  statement.BindBytes(14, row.record.value);
  statement.BindBytes(15, headers);
}

template <typename Columns>
bool ReadRow(const Columns& columns, Row& row) {
  row.id = columns.Number(0);
  row.event_id = columns.Text(3);
  row.source = columns.Text(4);
  row.target = static_cast<int32_t>(columns.Number(5));
  row.fingerprint = static_cast<uint64_t>(columns.Number(6));
  row.record.topic = columns.Text(7);
  row.record.partition = static_cast<int32_t>(columns.Number(8));
  row.record.timestamp_ms = columns.Number(9);
  row.dead_letter = columns.Text(10);
  row.accepted_ms = columns.Number(11);
  row.record.key = columns.Bytes(12);
  row.record.value = columns.Bytes(13);
  const std::string headers = columns.Text(14);
  auto decoded = DecodeHeaders(headers);
  const bool whole = decoded && int64_t{ChecksumOf(row, headers)} == columns.Number(1);
  if (decoded) row.record.headers = std::move(*decoded);
  return whole;
}

template bool ReadRow(const Statement&, Row&);
template bool ReadRow(const RecordReader::Record&, Row&);

}  // namespace outrigger::store
