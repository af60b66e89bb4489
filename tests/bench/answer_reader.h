// Reads one HTTP answer as cheaply as can be: the status, Content-Length, and the body's first
// bytes.
//
// Only for answers of a server that is known to send Content-Length; it is no HTTP parser and
// judges nothing.
#pragma once

#include <strings.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

namespace outrigger::bench {

class AnswerReader {
 public:
  enum class Step { kMore, kDone, kBroken };

  Step Feed(std::string_view bytes) {
    if (status_ == 0) {
      if (!head_.empty()) bytes = head_.append(bytes);
      const size_t end = bytes.find("\r\n\r\n");
      if (end == std::string_view::npos) {
        if (head_.empty()) head_ = bytes;
        return head_.size() > kMaxHead ? Step::kBroken : Step::kMore;
      }
      if (!ReadHead(bytes.substr(0, end + 2))) return Step::kBroken;
      bytes.remove_prefix(end + 4);
    }
    if (bytes.size() > left_) return Step::kBroken;
    left_ -= bytes.size();
    body_.append(bytes.substr(0, kKept - std::min(kKept, body_.size())));
    return left_ == 0 ? Step::kDone : Step::kMore;
  }

  // Ready for the next answer.
  void Clear() {
    status_ = 0;
    left_ = 0;
    head_.clear();
    body_.clear();
  }

  int status() const { return status_; }
  const std::string& body() const { return body_; }

 private:
  static constexpr size_t kMaxHead = 16384;
  static constexpr size_t kKept = 300;

  bool ReadHead(std::string_view head) {
    if (head.size() < 12 || !head.starts_with("HTTP/1.1 ")) return false;
    status_ = std::atoi(head.data() + 9);
    static constexpr std::string_view kLength = "\r\ncontent-length:";
    for (size_t at = head.find("\r\n"); at != std::string_view::npos;
         at = head.find("\r\n", at + 2)) {
      if (at + kLength.size() < head.size() &&
          strncasecmp(head.data() + at, kLength.data(), kLength.size()) == 0) {
        left_ = std::strtoull(head.data() + at + kLength.size(), nullptr, 10);
        return true;
      }
    }
    return false;
  }

  int status_ = 0;
  size_t left_ = 0;
  std::string head_;  // only when it came in pieces
  std::string body_;
};

}  // namespace outrigger::bench
