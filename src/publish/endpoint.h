// The paths of the application's port: what is taken there, and how.
//
// Plain values. Source: src/publish/README.md, "Requests".
#pragma once

#include <array>
#include <span>
#include <string_view>

namespace outrigger::publish {

struct Endpoint {
  static constexpr std::string_view kGet = "GET, HEAD";
  static constexpr std::string_view kPost = "POST";

  // "/v1/events", or "/v1/events/{type}" where the path ends with an argument that is not empty. A
  // literal: metrics show it.
  std::string_view pattern;
  std::string_view allow;                        // kGet or kPost, as in the header Allow
  std::span<const std::string_view> query = {};  // the parameters that it takes
  bool raw = false;                              // takes raw records, not events

  constexpr std::string_view prefix() const { return pattern.substr(0, pattern.find('{')); }
  constexpr bool Matches(std::string_view path) const {
    return prefix() == pattern ? path == pattern
                               : path.starts_with(prefix()) && path.size() > prefix().size();
  }
  constexpr bool Takes(std::string_view method) const {
    return allow == kPost ? method == "POST" : method == "GET" || method == "HEAD";
  }
  // Of a path that matches.
  constexpr std::string_view Argument(std::string_view path) const {
    return path.substr(prefix().size());
  }
};

inline constexpr std::array<std::string_view, 1> kEventsQuery{"ack"};
inline constexpr std::array<std::string_view, 5> kTypeQuery{"key", "id", "version", "subject",
                                                            "ack"};
inline constexpr std::array<std::string_view, 5> kTopicQuery{"key", "partition", "timestamp",
                                                             "tombstone", "ack"};

inline constexpr std::array<std::string_view, 3> kListQuery{"after", "limit", "topic"};

inline constexpr Endpoint kHealthEndpoint{"/health/kafka", Endpoint::kGet};
inline constexpr Endpoint kEventsEndpoint{"/v1/events", Endpoint::kPost, kEventsQuery};
inline constexpr Endpoint kTypeEndpoint{"/v1/events/{type}", Endpoint::kPost, kTypeQuery};
inline constexpr Endpoint kStatusEndpoint{"/v1/events/{id}", Endpoint::kGet};
inline constexpr Endpoint kTopicEndpoint{"/v1/topics/{topic}", Endpoint::kPost, kTopicQuery, true};
inline constexpr Endpoint kSpoolEndpoint{"/v1/spool", Endpoint::kGet, kListQuery};
inline constexpr Endpoint kSpoolEventEndpoint{"/v1/spool/events/{id}", Endpoint::kGet};
inline constexpr Endpoint kDropEndpoint{"/v1/spool/drop", Endpoint::kPost};
inline constexpr Endpoint kQuarantineEndpoint{"/v1/spool/quarantine", Endpoint::kGet, kListQuery};
inline constexpr Endpoint kRequeueEndpoint{"/v1/spool/quarantine/requeue", Endpoint::kPost};
inline constexpr Endpoint kDropQuarantinedEndpoint{"/v1/spool/quarantine/drop", Endpoint::kPost};

}  // namespace outrigger::publish
