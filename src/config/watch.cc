#include "config/watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

#include "config/schema_files.h"

namespace outrigger::config {
namespace {

namespace fs = std::filesystem;

constexpr auto kSettle = std::chrono::milliseconds(100);
constexpr auto kLookAgain = std::chrono::seconds(5);
constexpr uint32_t kChanges =
    IN_CLOSE_WRITE | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR;

size_t FileContent(const fs::path& file) {
  std::error_code error;
  // A pipe can be read once only, and not by us.
  if (!fs::is_regular_file(file, error)) return 0;
  std::ifstream in(file, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return in ? std::hash<std::string>{}(std::move(text).str()) : 0;
}

// The content at `path` (a file, a folder of schemas, or nothing), as one number.
size_t ContentOf(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return FileContent(path);
  size_t content = 1;
  for (const auto& file : FindSchemaFiles(path).files)
    content = (content * 31 + fs::hash_value(file)) * 31 + FileContent(file);
  return content;
}

// The folders in which a change of `path` shows.
std::set<fs::path> FoldersOf(const fs::path& path) {
  std::error_code error;
  std::set<fs::path> folders;
  if (fs::is_directory(path, error)) folders = FindSchemaFiles(path).folders;
  fs::path parent = fs::absolute(path, error).parent_path();
  while (!fs::is_directory(parent, error) && parent.has_relative_path())
    parent = parent.parent_path();
  folders.insert(parent);
  // Where a link leads, a file may be edited in place.
  if (fs::is_symlink(path, error)) folders.insert(fs::weakly_canonical(path, error).parent_path());
  return folders;
}

}  // namespace

Watch::Watch(base::Loop& loop, std::string file, std::function<void()> on_change,
             std::function<void(const std::string&)> on_trouble)
    : loop_(loop),
      file_(std::move(file)),
      on_change_(std::move(on_change)),
      on_trouble_(std::move(on_trouble)) {
  Follow({});
}

Watch::~Watch() {
  readable_.reset();
  if (inotify_ >= 0) close(inotify_);
}

void Watch::Follow(const std::vector<std::string>& paths) {
  const auto before = std::exchange(contents_, {{file_, 0}});
  for (const auto& path : paths) contents_.emplace(path, 0);
  WatchFolders();
  for (auto& [path, content] : contents_) {
    const auto known = before.find(path);
    content = known != before.end() ? known->second : ContentOf(path);
  }
}

void Watch::WatchFolders() {
  std::string trouble;
  std::set<int> watches;
  for (const auto& [path, content] : contents_)
    for (const auto& folder : FoldersOf(path))
      if (const std::string wrong = WatchFolder(folder, watches); !wrong.empty())
        trouble = "the config is polled every 5 s, since inotify is not available: " + wrong;
  for (const int old : watches_)
    if (!watches.contains(old)) inotify_rm_watch(inotify_, old);
  watches_ = std::move(watches);
  if (!trouble.empty()) look_again_ = loop_.After(kLookAgain, [this] { Look(); });
  if (trouble == trouble_) return;
  trouble_ = std::move(trouble);
  on_trouble_(trouble_);
}

// Returns what hinders it.
std::string Watch::WatchFolder(const std::string& folder, std::set<int>& watches) {
  if (inotify_ < 0) {
    inotify_ = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (inotify_ < 0) return std::string(std::strerror(errno)) + " (fs.inotify.max_user_instances)";
    readable_ = loop_.WatchReadable(inotify_, [this] { OnReadable(); });
  }
  const int watch = inotify_add_watch(inotify_, folder.c_str(), kChanges);
  if (watch >= 0) watches.insert(watch);
  // What is gone meanwhile shows in the folder above it.
  if (watch >= 0 || errno == ENOENT || errno == ENOTDIR) return {};
  return folder + ": " + std::strerror(errno) + " (fs.inotify.max_user_watches)";
}

void Watch::OnReadable() {
  std::array<char, 4096> events;
  while (read(inotify_, events.data(), events.size()) > 0) continue;
  // Not restarted by each event: a busy folder would delay a change forever.
  if (!settled_.armed()) settled_ = loop_.After(kSettle, [this] { Look(); });
}

bool Watch::Look() {
  WatchFolders();
  bool changed = false;
  for (auto& [path, content] : contents_) {
    const size_t now = ContentOf(path);
    changed = changed || now != content;
    content = now;
  }
  if (changed) on_change_();
  return changed;
}

}  // namespace outrigger::config
