#include "base/container_memory.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>

namespace outrigger::base {
namespace {

// Version 1 has the largest number of pages for "none".
constexpr uint64_t kAbsurd = uint64_t{1} << 60;

std::string ReadAll(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

bool Lists(std::string_view controllers, std::string_view name) {
  while (!controllers.empty()) {
    const size_t comma = std::min(controllers.find(','), controllers.size());
    if (controllers.substr(0, comma) == name) return true;
    controllers.remove_prefix(std::min(comma + 1, controllers.size()));
  }
  return false;
}

// `file` of the cgroup `path` and of every one around it.
void AddUpwards(std::string_view tree, std::string_view path, std::string_view file,
                std::vector<std::string>& files) {
  while (true) {
    while (path.ends_with('/')) path.remove_suffix(1);
    files.push_back(std::string(tree).append(path).append("/").append(file).substr(1));
    if (path.empty()) return;
    path = path.substr(0, path.rfind('/') + 1);
  }
}

}  // namespace

std::optional<uint64_t> ParseMemoryLimit(std::string_view text) {
  uint64_t bytes = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
  if (error != std::errc() || bytes >= kAbsurd) return std::nullopt;
  const std::string_view rest = text.substr(static_cast<size_t>(end - text.data()));
  if (rest.find_first_not_of('\n') != std::string_view::npos) return std::nullopt;
  return bytes;
}

std::vector<std::string> MemoryLimitFiles(std::string_view text) {
  std::vector<std::string> files;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    // "4:memory:/kubepods/pod1/c1", or of version 2 "0::/kubepods/pod1/c1"
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const std::string_view path = line.substr(second + 1);
    if (!path.starts_with('/')) continue;
    if (Lists(controllers, "memory")) AddUpwards("/memory", path, "memory.limit_in_bytes", files);
    if (controllers.empty()) AddUpwards("", path, "memory.max", files);
  }
  return files;
}

std::optional<uint64_t> ContainerMemoryLimit(const std::filesystem::path& root) {
  std::optional<uint64_t> least;
  for (const auto& file : MemoryLimitFiles(ReadAll(root / "proc/self/cgroup")))
    if (const auto limit = ParseMemoryLimit(ReadAll(root / "sys/fs/cgroup" / file)))
      least = std::min(*limit, least.value_or(*limit));
  return least;
}

}  // namespace outrigger::base
