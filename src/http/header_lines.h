// The header lines of a call as they are sent, each ended by CRLF: one string, since a call has
// some twenty lines, and strings of their own would cost more than sending them.
//
// A plain value. Source: RFC 9112, section 5.
#pragma once

#include <string>
#include <string_view>

namespace outrigger::http {

class HeaderLines {
 public:
  // A line that can't be sent is left out, and wrong() says why.
  void Add(std::string_view name, std::string_view value);

  const std::string& text() const { return text_; }
  // What is wrong with the first line that was left out; empty: nothing.
  const std::string& wrong() const { return wrong_; }

 private:
  std::string text_;
  std::string wrong_;
};

}  // namespace outrigger::http
