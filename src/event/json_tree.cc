#include "event/json_tree.h"

#include <algorithm>
#include <functional>

#include "event/json_number.h"
#include "event/json_scan.h"

namespace outrigger::event {

std::string_view Describe(JsonKind kind) {
  switch (kind) {
    case JsonKind::kNull:
      return "null";
    case JsonKind::kBoolean:
      return "a boolean";
    case JsonKind::kNumber:
      return "a number";
    case JsonKind::kString:
      return "a string";
    case JsonKind::kArray:
      return "an array";
    case JsonKind::kObject:
      return "an object";
  }
  return {};
}

// Trusts its text, as json_scan.h does.
class JsonTreeParser {
 public:
  explicit JsonTreeParser(JsonTree& tree) : tree_(tree), text_(tree.text_) {}

  base::Result<void> Run() {
    // As many as there can be.
    tree_.entries_.reserve(
        static_cast<size_t>(std::count_if(
            text_.begin(), text_.end(), [](char c) { return c == ',' || c == '[' || c == '{'; })) +
        1);
    const Entry root = Value();
    tree_.entries_.push_back(root);
    if (repeated_.empty()) return {};
    return base::Fail(
        base::Error::Invalid("the name \"" + repeated_ + "\" appears twice in one object"));
  }

 private:
  using Entry = JsonTree::Entry;
  using Text = JsonTree::Text;

  void Blanks() {
    while (at_ < text_.size() && static_cast<unsigned char>(text_[at_]) <= ' ') ++at_;
  }

  static Text At(size_t at, size_t size, bool unescaped = false) {
    Text text;
    text.at = static_cast<uint32_t>(at);
    text.size = static_cast<uint32_t>(size) & 0x7FFFFFFFU;
    text.unescaped = unescaped ? 1 : 0;
    return text;
  }

  Text String() {
    const size_t begin = ++at_;
    bool escapes = false;
    for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] != '\\') continue;
      escapes = true;
      ++at_;
    }
    const size_t size = at_++ - begin;
    if (!escapes) return At(begin, size);
    const std::string plain = Unescape(text_.substr(begin, size));
    const size_t at = tree_.unescaped_.size();
    tree_.unescaped_ += plain;
    return At(at, plain.size(), true);
  }

  Entry Value() {
    Blanks();
    const size_t begin = at_;
    Entry entry;
    switch (at_ < text_.size() ? text_[at_] : 'n') {
      case '"':
        entry.kind = JsonKind::kString;
        entry.text = String();
        return entry;
      case '{':
      case '[':
        entry = Below(text_[at_] == '{');
        break;
      case 't':
      case 'f':
        entry.kind = JsonKind::kBoolean;
        break;
      case 'n':
        break;
      default:
        entry.kind = JsonKind::kNumber;
    }
    if (entry.kind < JsonKind::kString) {
      while (at_ < text_.size() && text_[at_] > ' ' && text_[at_] != ',' && text_[at_] != ']' &&
             text_[at_] != '}')
        ++at_;
    }
    entry.text = At(begin, at_ - begin);
    return entry;
  }

  Entry Below(bool object) {
    const size_t mark = open_.size();
    ++at_;
    for (Blanks(); at_ < text_.size() && text_[at_] != '}' && text_[at_] != ']'; Blanks()) {
      Text name;
      if (object) {
        name = String();
        Blanks();
        ++at_;  // over the colon
      }
      Entry value = Value();
      value.name = name;
      open_.push_back(value);
      Blanks();
      if (at_ < text_.size() && text_[at_] == ',') ++at_;
      Blanks();
    }
    ++at_;
    if (object) Sort(mark);
    Entry entry;
    entry.kind = object ? JsonKind::kObject : JsonKind::kArray;
    entry.first = static_cast<uint32_t>(tree_.entries_.size());
    entry.count = static_cast<uint32_t>(open_.size() - mark);
    const auto begin = open_.begin() + static_cast<std::ptrdiff_t>(mark);
    tree_.entries_.insert(tree_.entries_.end(), begin, open_.end());
    open_.erase(begin, open_.end());
    return entry;
  }

  // The members from `mark` on by name.
  void Sort(size_t mark) {
    const auto begin = open_.begin() + static_cast<std::ptrdiff_t>(mark);
    std::sort(begin, open_.end(), [this](const Entry& a, const Entry& b) {
      return tree_.View(a.name) < tree_.View(b.name);
    });
    const auto twice =
        std::adjacent_find(begin, open_.end(), [this](const Entry& a, const Entry& b) {
          return tree_.View(a.name) == tree_.View(b.name);
        });
    if (twice != open_.end() && repeated_.empty()) {
      repeated_ = tree_.View(twice->name);
      if (repeated_.empty()) repeated_ = std::string(1, '\0');
    }
  }

  JsonTree& tree_;
  std::string_view text_;
  size_t at_ = 0;
  std::vector<Entry> open_;  // of the arrays and objects that are being read
  std::string repeated_;
};

base::Result<JsonTree> JsonTree::Parse(std::string_view text) {
  JsonTree tree;
  if (text.size() >= (1U << 31)) {
    return base::Fail(
        base::Error{base::Code::kTooLarge, "JSON of 2 GiB and more can't be checked", {}, false});
  }
  tree.text_ = TrimJson(text);
  if (auto parsed = JsonTreeParser(tree).Run(); !parsed) return base::Fail(parsed.error());
  return tree;
}

std::string_view JsonTree::View(Text text) const {
  return std::string_view(text.unescaped ? std::string_view(unescaped_) : text_)
      .substr(text.at, text.size);
}

JsonKind JsonNode::kind() const { return name_ ? JsonKind::kString : tree_->entries_[at_].kind; }

std::string_view JsonNode::text() const {
  const auto& entry = tree_->entries_[at_];
  return tree_->View(name_ ? entry.name : entry.text);
}

size_t JsonNode::size() const { return name_ ? 0 : tree_->entries_[at_].count; }

JsonNode JsonNode::operator[](size_t index) const {
  return {*tree_, tree_->entries_[at_].first + static_cast<uint32_t>(index)};
}

std::string_view JsonNode::name() const { return tree_->View(tree_->entries_[at_].name); }

std::optional<JsonNode> JsonNode::Find(std::string_view name) const {
  if (kind() != JsonKind::kObject) return {};
  size_t low = 0;
  for (size_t high = size(); low < high;) {
    const size_t middle = (low + high) / 2;
    if ((*this)[middle].name() < name) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == size() || (*this)[low].name() != name) return {};
  return (*this)[low];
}

int JsonNode::Compare(JsonNode other) const {
  const JsonKind mine = kind();
  if (mine != other.kind()) return mine < other.kind() ? -1 : 1;
  if (mine == JsonKind::kNumber && text() != other.text())
    return JsonNumber(text()).Compare(JsonNumber(other.text()));
  if (mine < JsonKind::kArray) return text().compare(other.text());
  if (size() != other.size()) return size() < other.size() ? -1 : 1;
  for (size_t i = 0; i < size(); ++i) {
    const JsonNode a = (*this)[i];
    const JsonNode b = other[i];
    if (mine == JsonKind::kObject)
      if (const int order = a.name().compare(b.name()); order != 0) return order;
    if (const int order = a.Compare(b); order != 0) return order;
  }
  return 0;
}

size_t JsonNode::Hash() const {
  const JsonKind mine = kind();
  if (mine == JsonKind::kNumber) return JsonNumber(text()).Hash();
  if (mine < JsonKind::kArray) return std::hash<std::string_view>()(text());
  size_t hash = mine == JsonKind::kArray ? 7 : 13;
  for (size_t i = 0; i < size(); ++i) {
    const JsonNode child = (*this)[i];
    if (mine == JsonKind::kObject)
      hash = hash * 1099511628211U + std::hash<std::string_view>()(child.name());
    hash = hash * 1099511628211U + child.Hash();
  }
  return hash;
}

}  // namespace outrigger::event
