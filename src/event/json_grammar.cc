#include "event/json_grammar.h"

#include <utility>

namespace outrigger::event {
namespace {

class Walk {
 public:
  Walk(std::string_view text, size_t max_depth, size_t first, Surrogates surrogates)
      : text_(text), max_depth_(max_depth), first_(first), surrogates_(surrogates) {}

  std::string Problem() {
    if (!Value()) return wrong_;
    Blanks();
    return at_ == text_.size() ? std::string() : At("something follows the value");
  }

 private:
  std::string At(const char* what) const {
    return std::string(what) + " at byte " + std::to_string(first_ + at_) +
           (at_ == text_.size() ? ", where the text ends" : "");
  }
  bool Wrong(const char* what) {
    wrong_ = At(what);
    return false;
  }
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool Take(char c) {
    if (Peek() != c) return false;
    ++at_;
    return true;
  }
  void Blanks() {
    while (Peek() == ' ' || Peek() == '\t' || Peek() == '\n' || Peek() == '\r') ++at_;
  }
  static bool Digit(char c) { return c >= '0' && c <= '9'; }
  static bool Hex(char c) { return Digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

  bool Digits() {
    if (!Digit(Peek())) return Wrong("a digit is missing");
    while (Digit(Peek())) ++at_;
    return true;
  }

  bool Number() {
    Take('-');
    if (!Take('0') && !Digits()) return false;
    if (Take('.') && !Digits()) return false;
    if (Take('e') || Take('E')) {
      if (!Take('+')) Take('-');
      return Digits();
    }
    return true;
  }

  // Four hex digits; -1 when they are not.
  int Unit() {
    int value = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = Peek();
      if (!Hex(c)) return -1;
      value = value * 16 + (Digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
  }

  bool String() {
    ++at_;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (static_cast<unsigned char>(c) < 0x20) return Wrong("a control byte in a string");
      ++at_;
      if (c == '"') return true;
      if (c != '\\') continue;
      if (!Take('u')) {
        if (std::string_view("\"\\/bfnrt").find(Peek()) == std::string_view::npos || Peek() == '\0')
          return Wrong("an unknown escape");
        ++at_;
        continue;
      }
      const int unit = Unit();
      if (unit >= 0 && surrogates_ == Surrogates::kAny) continue;
      const bool high = unit >= 0xD800 && unit < 0xDC00;
      if (unit < 0 || (unit >= 0xDC00 && unit < 0xE000)) return Wrong("a bad \\u escape");
      if (high) {
        if (!Take('\\') || !Take('u')) return Wrong("half a surrogate pair");
        const int low = Unit();
        if (low < 0xDC00 || low >= 0xE000) return Wrong("half a surrogate pair");
      }
    }
    return Wrong("a string does not end");
  }

  bool Word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word)
      return Wrong("an unknown word (JSON has true, false and null)");
    at_ += word.size();
    return true;
  }

  bool Scalar() {
    switch (Peek()) {
      case '"':
        return String();
      case 't':
        return Word("true");
      case 'f':
        return Word("false");
      case 'n':
        return Word("null");
      default:
        return Digit(Peek()) || Peek() == '-' ? Number() : Wrong("a value is missing");
    }
  }

  // Up to the value of a member.
  bool Name() {
    Blanks();
    if (Peek() != '"') return Wrong("a name in double quotes is missing");
    if (!String()) return false;
    Blanks();
    return Take(':') || Wrong("a colon is missing");
  }

  // Whether the value goes on behind what was read last: to the next item's begin.
  bool Next() {
    while (!open_.empty()) {
      Blanks();
      if (!Take(open_.back())) {
        if (!Take(',')) return Wrong("a comma or the closing bracket is missing");
        return open_.back() == ']' || Name();
      }
      open_.pop_back();
    }
    return false;
  }

  bool Value() {
    bool first = false;  // of a container: its first item follows
    do {
      Blanks();
      const char c = Peek();
      if (c != '{' && c != '[') {
        if (!Scalar()) return false;
        continue;
      }
      if (open_.size() >= max_depth_) return Wrong("the nesting is too deep");
      ++at_;
      open_.push_back(c == '{' ? '}' : ']');
      Blanks();
      if (Peek() == open_.back()) continue;
      if (c == '{' && !Name()) return false;
      first = true;
    } while (std::exchange(first, false) || Next());
    return wrong_.empty();
  }

  std::string_view text_;
  size_t max_depth_;
  size_t first_;
  Surrogates surrogates_;
  std::string open_;  // the closing brackets that are due
  size_t at_ = 0;
  std::string wrong_;
};

}  // namespace

std::string JsonGrammarProblem(std::string_view text, size_t max_depth, size_t first,
                               Surrogates surrogates) {
  return Walk(text, max_depth, first, surrogates).Problem();
}

bool IsJsonText(std::string_view text) {
  return JsonGrammarProblem(text, text.size(), 0, Surrogates::kAny).empty();
}

}  // namespace outrigger::event
