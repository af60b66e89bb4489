// The JSON edge: strict acceptance (RFC 8259) of bytes that stay as they are, and values read by
// path.
//
// simdjson's DOM decides; only when it refuses a number that is valid JSON (20 digits, 1e400) a
// strict walk with the RFC's own number grammar decides instead. Depth is at most 128. UTF-8 is
// checked.
//
// Thread: a JsonReader is a reused set of buffers; one for each thread. Results that are views
// point into the input or into the reader and last until the reader's next call.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace outrigger::event {

// A path into data, `userId` or `address.city`; members only, no indexes.
using JsonPath = std::vector<std::string>;

// The value at a path.
struct JsonValue {
  enum class Kind { kAbsent, kNull, kString, kNumber, kBoolean, kObject, kArray };
  Kind kind = Kind::kAbsent;
  std::string text;  // a string unescaped; a number or boolean as its raw token; else empty
};

class JsonReader {
 public:
  JsonReader();
  JsonReader(const JsonReader&) = delete;
  JsonReader& operator=(const JsonReader&) = delete;
  ~JsonReader();

  // Whether `text` is one strict JSON document; a byte order mark before it is skipped. The
  // error says what and at which byte.
  base::Result<void> Check(std::string_view text);

  // The members of the object `text`, in order, names unescaped, each value's raw bytes trimmed. A
  // repeated name is an error. `text` is checked.
  struct Member {
    std::string name;
    std::string_view raw;
  };
  base::Result<std::vector<Member>> Members(std::string_view text);

  // The items of the array `text`, raw and trimmed; `text` is checked. More than `most` are an
  // error (kTooLarge).
  base::Result<std::vector<std::string_view>> Items(std::string_view text, size_t most = SIZE_MAX);

  // What follows reads texts that are known to be strict JSON.

  // The values at `paths` in `text`, in the order of `paths`. A name that a path reads and that
  // appears twice there is an error, or (kLast) the last one counts, as for every JSON parser;
  // elsewhere repeated names pass.
  enum class Repeats { kError, kLast };
  static base::Result<std::vector<JsonValue>> Read(std::string_view text,
                                                   std::span<const JsonPath> paths,
                                                   Repeats repeats = Repeats::kError);

  // The value of one raw token.
  static JsonValue Value(std::string_view raw);

 private:
  struct Parsers;
  std::unique_ptr<Parsers> parsers_;
};

}  // namespace outrigger::event
