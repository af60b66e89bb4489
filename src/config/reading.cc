#include "config/reading.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "config/values.h"

namespace outrigger::config {

Reading::Reading(std::string file, std::vector<Problem>& problems)
    : file_(std::move(file)), problems_(problems) {}

Reading::~Reading() {
  if (held_back_ == 0) return;
  problems_.push_back({{file_},
                       "",
                       "has " + base::Counted(held_back_, "more problem"),
                       "correct those above first"});
}

void Reading::Add(const Spot& spot, std::string message, std::string hint,
                  Problem::Severity severity) {
  if (problems_.size() >= kMaxProblems) {
    if (severity == Problem::Severity::kError) ++held_back_;
    return;
  }
  problems_.push_back({PlaceOf(spot), spot.path, std::move(message), std::move(hint), severity});
}

void Reading::Error(const Spot& spot, std::string message, std::string hint) {
  Add(spot, std::move(message), std::move(hint), Problem::Severity::kError);
}

void Reading::Warn(const Spot& spot, std::string message, std::string hint) {
  Add(spot, std::move(message), std::move(hint), Problem::Severity::kWarning);
}

std::string Reading::Resolve(const std::string& path) const {
  return (std::filesystem::path(file_).parent_path() / path).lexically_normal().string();
}

const std::string* Reading::Scalar(const Spot& spot) {
  switch (spot.value.kind) {
    case YamlNode::Kind::kText:
      return &spot.value.text;
    case YamlNode::Kind::kNull:
      Error(spot, "has no value", "give it one, or remove the field for its default");
      return nullptr;
    case YamlNode::Kind::kList:
      Error(spot, "must be one value, not a list", "write the value alone");
      return nullptr;
    case YamlNode::Kind::kMapping:
      Error(spot, "must be one value, not a mapping", "in a text with `{` or `: ` use quotes");
      return nullptr;
  }
  return nullptr;
}

const std::string* Reading::Filled(const Spot& spot) {
  const std::string* text = Scalar(spot);
  if (text == nullptr || !text->empty()) return text;
  Error(spot, "is empty", "give it a value, or remove the field for its default");
  return nullptr;
}

std::optional<base::Error> CheckReadable(const std::string& path) {
  struct stat status {};
  const bool there = stat(path.c_str(), &status) == 0;
  if (there && S_ISDIR(status.st_mode))
    return base::Error::Invalid("the file " + path + " is a folder", "name a file");
  if (there && access(path.c_str(), R_OK) == 0) {
    std::ifstream in;
    if (S_ISREG(status.st_mode)) in.open(path);  // a pipe can be read once only
    if (!in.is_open() || (in >> std::ws).peek() != std::ifstream::traits_type::eof()) return {};
    return base::Error::Invalid("the file " + path + " is empty", "it must hold the value");
  }
  return base::Error::Invalid("the file " + path + " can't be read: " + std::strerror(errno),
                              "check the path, the volume and the permissions");
}

}  // namespace outrigger::config
