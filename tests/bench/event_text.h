// The event that every benchmark sends: 300 bytes as an envelope, keyed by data.userId.
//
// Both load programs take it from here, so that raw librdkafka writes the very bytes that the
// sidecar writes.
#pragma once

#include <cstdio>
#include <string>

namespace outrigger::bench {

inline constexpr size_t kEnvelopeBytes = 300;

inline std::string KeyText(size_t number) {
  char text[32];
  std::snprintf(text, sizeof text, "user-%07zu", number % 10000000);
  return text;
}

// The data of an event of `type`: as long as it takes for the envelope to have kEnvelopeBytes.
inline std::string DataText(const std::string& type, const std::string& key) {
  const size_t around = std::string(R"({"type":"","data":})").size() + type.size();
  std::string data =
      R"({"userId":")" + key + R"(","email":")" + key +
      R"(@example.org","plan":"trial","locale":"en-GB","bandScore":6.5,)"
      R"("registeredAt":"2026-01-31T08:15:30.123Z","skills":["writing","speaking"],"note":")";
  const std::string end = R"("})";
  while (around + data.size() + end.size() < kEnvelopeBytes) data.push_back('n');
  return data + end;
}

inline std::string EnvelopeText(const std::string& type, const std::string& key) {
  return R"({"type":")" + type + R"(","data":)" + DataText(type, key) + "}";
}

inline std::string CloudEventText(const std::string& type, const std::string& key) {
  return R"({"specversion":"1.0","type":")" + type + R"(","source":"bench","data":)" +
         DataText(type, key) + "}";
}

}  // namespace outrigger::bench
