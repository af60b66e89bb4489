#include "config/watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <filesystem>

namespace outrigger::config {
namespace {

constexpr auto kSettle = std::chrono::milliseconds(100);
constexpr uint32_t kChanges = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO;

}  // namespace

Watch::Watch(base::Loop& loop, const std::string& file, const std::vector<std::string>& folders,
             std::function<void()> on_change)
    : loop_(loop), on_change_(std::move(on_change)) {
  inotify_ = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (inotify_ < 0) return;
  const std::filesystem::path parent = std::filesystem::path(file).parent_path();
  Add(parent.empty() ? "." : parent.string());
  for (const auto& folder : folders) {
    Add(folder);
    // Schemas stand one level down, by type.
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error))
      if (entry.is_directory(error)) Add(entry.path().string());
  }
  readable_ = loop_.WatchReadable(inotify_, [this] { OnReadable(); });
}

Watch::~Watch() {
  readable_.reset();
  if (inotify_ >= 0) close(inotify_);
}

void Watch::Add(const std::string& folder) {
  inotify_add_watch(inotify_, folder.c_str(), kChanges);
}

void Watch::OnReadable() {
  std::array<char, 4096> events;
  while (read(inotify_, events.data(), events.size()) > 0) continue;
  settled_ = loop_.After(kSettle, [this] { on_change_(); });
}

}  // namespace outrigger::config
