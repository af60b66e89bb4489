// A value or an Error, for everything that can fail outside of a bug.
//
// Errors are values: exceptions of libraries are caught inside the room that uses the library and
// become an Error.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace outrigger::base {

enum class Code {
  kInvalid,       // the caller's input; the same input fails again
  kNotFound,      // what was named does not exist
  kConflict,      // known already, with other content
  kTooLarge,      // over a limit; `hint` names the limit's config field
  kUnauthorized,  // credentials or permission
  kUnavailable,   // an outside thing is away or full; may pass
  kTimeout,       // no answer in time; what was asked may still happen
  kUnsupported,   // not in this version, or not on this broker
  kInternal,      // a bug or a broken machine
};

struct Error {
  Code code = Code::kInternal;
  std::string message;     // what happened, and where
  std::string hint;        // what to do about it; may be empty
  bool retryable = false;  // the same call may succeed later

  static Error Invalid(std::string message, std::string hint = {}) {
    return {Code::kInvalid, std::move(message), std::move(hint), false};
  }
};

template <class T>
using Result = tl::expected<T, Error>;

using Failure = tl::unexpected<Error>;

// Fail(Error{…}) reads better at a return than Failure(Error{…}).
inline Failure Fail(Error error) { return Failure(std::move(error)); }

}  // namespace outrigger::base
