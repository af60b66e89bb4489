// A check of one value on its way through a compiled schema: what is wrong so far, where the check
// is, and what it may still cost.
//
// Thread: one; lives for one check.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "event/json_tree.h"

namespace outrigger::event {

struct SchemaResource;

struct Violation {
  std::string pointer;  // RFC 6901, into the data; "" is the data itself
  std::string message;
};

// What a check says.
struct SchemaVerdict {
  std::vector<Violation> violations;  // at most kMaxViolations; empty: the data fits
  bool more = false;                  // checking stopped there, and there are others
};

constexpr size_t kMaxViolations = 20;
// What the check of one event may cost: a step is about 20 ns, so that all of them and the reading
// before stay below 50 ms.
constexpr size_t kMaxSchemaSteps = 1'500'000;
constexpr size_t kStepNanoseconds = 20;
// How deep schemas may refer to schemas while one value is checked.
constexpr size_t kMaxSchemaDepth = 1'000;

// `text`, cut after `most` characters.
std::string Excerpt(std::string_view text, size_t most = 100);
// `value` as an excerpt of its JSON.
std::string Shown(JsonNode value);

// Which items or members of a value some keyword has checked.
class Evaluated {
 public:
  explicit Evaluated(size_t size) : seen_(size, false) {}
  bool Has(size_t index) const { return seen_[index]; }
  void Add(size_t index) { seen_[index] = true; }
  void AddAll() { seen_.assign(seen_.size(), true); }
  void Add(const Evaluated& other);

 private:
  std::vector<bool> seen_;
};

class SchemaRun {
 public:
  // Takes `cost` steps; false once all are used up. Then nothing more is reported.
  bool Step(size_t cost = 1);
  // Whether to stop at the next violation: nobody asks for more.
  bool Done() const { return quiet_ > 0 || verdict_.more || stopped_; }

  // Reports what is wrong with the value that the run is at; `message` is called only when somebody
  // asks. Always false.
  template <class Message>
  bool Fail(Message message) {
    if (quiet_ == 0 && !stopped_) Report(message());
    return false;
  }

  // While it lives, the run is one level deeper: in an item or a member.
  class Below {
   public:
    Below(SchemaRun& run, JsonNode parent, size_t index) : run_(run) {
      run.path_.push_back({parent, index});
    }
    ~Below() { run_.path_.pop_back(); }
    Below(const Below&) = delete;
    Below& operator=(const Below&) = delete;

   private:
    SchemaRun& run_;
  };

  // While it lives, nothing is reported: only whether it fits is of interest.
  class Quiet {
   public:
    explicit Quiet(SchemaRun& run) : run_(run) { ++run_.quiet_; }
    ~Quiet() { --run_.quiet_; }
    Quiet(const Quiet&) = delete;
    Quiet& operator=(const Quiet&) = delete;

   private:
    SchemaRun& run_;
  };

  // While it lives, a subschema of `resource` is being checked.
  class Inside {
   public:
    Inside(SchemaRun& run, const SchemaResource* resource);
    ~Inside();
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    SchemaRun& run_;
    bool entered_;
  };

  // The resources that the check came through, the first one first ($dynamicRef).
  const std::vector<const SchemaResource*>& scope() const { return scope_; }
  SchemaVerdict Take() { return std::move(verdict_); }

 private:
  struct Part {
    JsonNode parent;
    size_t index;
  };

  void Report(std::string message);
  void Stop(std::string message);
  std::string Pointer() const;

  SchemaVerdict verdict_;
  std::vector<Part> path_;
  std::vector<const SchemaResource*> scope_;
  size_t steps_ = kMaxSchemaSteps;
  size_t depth_ = 0;
  size_t quiet_ = 0;
  bool stopped_ = false;
};

}  // namespace outrigger::event
