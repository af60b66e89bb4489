#include "config/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <istream>
#include <streambuf>
#include <unordered_set>

#include "config/values.h"
#include "config/yaml_text.h"

namespace outrigger::config {
namespace {

// yaml-cpp queues tokens (some 230 bytes for each byte of "[[[[") until a flow collection's role is
// known. It gets no more text once it has read this much without one event, so that its memory is
// bounded too.
constexpr size_t kMaxBytesWithoutEvent = 256 << 10;

class Feed : public std::streambuf {
 public:
  explicit Feed(std::string_view text) : text_(text) {}

  void NoteEvent() { fed_at_event_ = fed_; }
  bool starved() const { return starved_; }

 protected:
  int_type underflow() override {
    starved_ = starved_ || fed_ - fed_at_event_ > kMaxBytesWithoutEvent;
    if (starved_ || fed_ == text_.size()) return traits_type::eof();
    const size_t length = std::min<size_t>(text_.size() - fed_, 4096);
    char* start =
        const_cast<char*>(text_.data()) + fed_;  // setg's signature; the text is only read
    setg(start, start, start + length);
    fed_ += length;
    return traits_type::to_int_type(*start);
  }

 private:
  std::string_view text_;
  size_t fed_ = 0;
  size_t fed_at_event_ = 0;
  bool starved_ = false;
};

struct Stop {};  // thrown through the parser after a problem that ends the reading

class Builder : public YAML::EventHandler {
 public:
  Builder(const std::string& file, Feed& feed, std::deque<YamlNode>& nodes,
          std::vector<Problem>& problems)
      : file_(file), feed_(feed), nodes_(nodes), problems_(problems) {}

  const YamlNode* root() const { return root_; }
  const YAML::Mark& last_scalar() const { return last_scalar_; }
  const YAML::Mark& last_mark() const { return last_mark_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    Note(mark);
    if (documents_++ > 0)
      Fail(mark, "a second document starts here", "keep one document, without a further `---`");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Note(mark);
    if (AtName()) Fail(mark, "a name is missing", "write the field's name before the colon");
    Attach(Make(mark, YamlNode::Kind::kNull, anchor));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    Note(mark);
    last_scalar_ = mark;
    CheckTag(mark, tag);
    if (AtName()) {
      Name(mark, text);
      return;
    }
    YamlNode* node = Make(mark, YamlNode::Kind::kText, anchor);
    node->text = text;
    node->plain = tag == "?";
    Attach(node);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Note(mark);
    if (AtName()) Fail(mark, "a name can't be an alias", "write the name out");
    const YamlNode* node = anchor < anchors_.size() ? anchors_[anchor] : nullptr;
    if (node == nullptr) Fail(mark, "the alias names no value", "write the value out");
    if (node->open)
      Fail(mark, "the alias is inside what it names", "an alias can't contain itself");
    if (frames_.size() + node->height > YamlTree::kMaxDepth) FailDepth(mark);
    Attach(node, mark);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, YamlNode::Kind::kList);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, YamlNode::Kind::kMapping);
  }
  void OnMapEnd() override { Close(); }

  void Report(const YAML::Mark& mark, std::string message, std::string hint) {
    Problem problem;
    problem.place = {file_, std::max(mark.line, 0) + 1, std::max(mark.column, 0) + 1};
    problem.path = Path();
    problem.message = std::move(message);
    problem.hint = std::move(hint);
    problems_.push_back(std::move(problem));
  }

 private:
  struct Frame {
    YamlNode* node;
    bool named = false;                          // in a mapping: its last entry waits for a value
    bool merge = false;                          // that entry is `<<`, which is dropped
    std::unordered_set<std::string> names = {};  // of large mappings only
  };

  void Note(const YAML::Mark& mark) {
    feed_.NoteEvent();
    last_mark_ = mark;
  }

  [[noreturn]] void Fail(const YAML::Mark& mark, std::string message, std::string hint) {
    Report(mark, std::move(message), std::move(hint));
    throw Stop{};
  }
  [[noreturn]] void FailDepth(const YAML::Mark& mark) {
    Fail(mark, "is nested more than 64 deep", "no field of this file needs such a depth");
  }

  void CheckTag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!" || tag == "tag:yaml.org,2002:str") return;
    Report(mark, "the YAML tag " + Quoted(tag) + " is not supported", "remove the tag");
  }

  bool AtName() const {
    return !frames_.empty() && frames_.back().node->kind == YamlNode::Kind::kMapping &&
           !frames_.back().named;
  }

  YamlNode* Make(const YAML::Mark& mark, YamlNode::Kind kind, YAML::anchor_t anchor) {
    if (nodes_.size() >= YamlTree::kMaxNodes) FailSize(mark);
    YamlNode& node = nodes_.emplace_back();
    node.kind = kind;
    node.line = std::max(mark.line, 0) + 1;
    node.column = std::max(mark.column, 0) + 1;
    node.open = kind == YamlNode::Kind::kList || kind == YamlNode::Kind::kMapping;
    if (anchor != YAML::NullAnchor) {
      if (anchors_.size() <= anchor) anchors_.resize(anchor + 1);
      anchors_[anchor] = &node;
    }
    return &node;
  }

  [[noreturn]] void FailSize(const YAML::Mark& mark) {
    Fail(mark, "has more than 1,000,000 values, aliases written out", "use fewer or shorter rules");
  }

  void Open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            YamlNode::Kind kind) {
    Note(mark);
    CheckTag(mark, tag);
    if (AtName()) Fail(mark, "a name must be a text, not a list or a mapping", "quote it");
    if (frames_.size() >= YamlTree::kMaxDepth) FailDepth(mark);
    frames_.push_back({Make(mark, kind, anchor)});
  }

  void Close() {
    feed_.NoteEvent();
    YamlNode* node = frames_.back().node;
    node->open = false;
    frames_.pop_back();
    Attach(node);
  }

  void Attach(const YamlNode* node) { Attach(node, last_mark_); }
  void Attach(const YamlNode* node, const YAML::Mark& mark) {
    if (frames_.empty()) {
      root_ = node;
      return;
    }
    Frame& frame = frames_.back();
    YamlNode* parent = frame.node;
    frame.named = false;
    if (std::exchange(frame.merge, false)) return;
    parent->height = std::max<uint8_t>(parent->height, node->height + 1);
    parent->size += node->size;
    if (parent->size > YamlTree::kMaxNodes) FailSize(mark);
    if (parent->kind == YamlNode::Kind::kList)
      parent->items.push_back(node);
    else
      parent->entries.back().value = node;
  }

  void Name(const YAML::Mark& mark, const std::string& name) {
    Frame& frame = frames_.back();
    frame.named = true;
    if (name == "<<") {
      Report(mark, "merge keys (`<<`) are not supported", "write the fields out");
      frame.merge = true;
      return;
    }
    if (const YamlNode::Entry* first = Known(frame, name)) {
      Report(mark, "the name " + Quoted(name) + " appears twice",
             "it is on line " + std::to_string(first->line) + " already: keep one");
    }
    frame.node->entries.push_back({name, mark.line + 1, mark.column + 1, nullptr});
    if (frame.node->entries.size() == kLinear)
      for (const auto& entry : frame.node->entries) frame.names.insert(entry.name);
    else if (frame.node->entries.size() > kLinear)
      frame.names.insert(name);
  }

  static const YamlNode::Entry* Known(const Frame& frame, const std::string& name) {
    if (frame.node->entries.size() >= kLinear && !frame.names.contains(name)) return nullptr;
    return frame.node->Find(name);
  }

  std::string Path() const {
    std::string path;
    for (const Frame& frame : frames_) {
      if (frame.node->kind == YamlNode::Kind::kList)
        path += "[" + std::to_string(frame.node->items.size()) + "]";
      else if (frame.named && !frame.merge && !frame.node->entries.empty())
        path += (path.empty() ? "" : ".") + Excerpt(frame.node->entries.back().name);
    }
    return path;
  }

  static constexpr size_t kLinear = 16;  // below, looking through the entries is as fast as a hash

  const std::string& file_;
  Feed& feed_;
  std::deque<YamlNode>& nodes_;
  std::vector<Problem>& problems_;
  std::vector<Frame> frames_;
  std::vector<const YamlNode*> anchors_;
  const YamlNode* root_ = nullptr;
  YAML::Mark last_scalar_;
  YAML::Mark last_mark_;
  int documents_ = 0;
};

// False when the text can't be used.
bool Parse(std::string_view text, Feed& feed, Builder& builder) {
  std::istream stream(&feed);
  std::optional<std::pair<YAML::Mark, std::string>> syntax;
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Stop&) {
    return false;
  } catch (const YAML::Exception& error) {
    syntax.emplace(error.mark, error.msg);
  } catch (const std::exception& error) {
    syntax.emplace(builder.last_mark(), error.what());
  }
  if (feed.starved()) {
    builder.Report(builder.last_mark(),
                   "more than 256 KiB follow in one piece ([…], {…}, a text or a comment)",
                   "write lists and mappings one entry a line, without brackets");
    return false;
  }
  if (QuoteIsOpen(text, static_cast<size_t>(builder.last_scalar().pos))) {
    builder.Report(builder.last_scalar(), "the quote that opens here is never closed",
                   "close the quote");
    return false;
  }
  if (syntax) {
    builder.Report(syntax->first, "is not YAML: " + syntax->second,
                   "look at the indentation, quotes and brackets here and just above");
    return false;
  }
  return true;
}

}  // namespace

std::optional<YamlTree> YamlTree::Read(std::string_view text, const std::string& file,
                                       std::vector<Problem>& problems) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (text.size() > kMaxBytes) {
    problems.push_back({{file}, "", "is larger than 4 MiB", "use fewer or shorter rules"});
    return std::nullopt;
  }
  if (auto fault = FindBadCharacter(text)) {
    problems.push_back({{file, fault->line, fault->column}, "", fault->message, fault->hint});
    return std::nullopt;
  }
  YamlTree tree;
  Feed feed(text);
  Builder builder(file, feed, tree.nodes_, problems);
  if (!Parse(text, feed, builder)) return std::nullopt;
  tree.root_ = builder.root();
  return tree;
}

}  // namespace outrigger::config
