// Tells when the config file, or a folder beside it, has changed: edits in place, editors' renames,
// and the symlink swap by which the kubelet updates a mounted ConfigMap.
//
// Folders are watched, never the file itself: a rename or a swap gives the name to another inode.
// Changes that come together are told once, when they have settled. Thread: the loop's. Source:
// inotify(7); Kubernetes, "Mounted ConfigMaps".
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/loop.h"

namespace outrigger::config {

class Watch {
 public:
  // Folders that can't be watched are passed over: a reload then needs a SIGHUP.
  Watch(base::Loop& loop, const std::string& file, const std::vector<std::string>& folders,
        std::function<void()> on_change);
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch();

 private:
  void Add(const std::string& folder);
  void OnReadable();

  base::Loop& loop_;
  std::function<void()> on_change_;
  int inotify_ = -1;
  std::unique_ptr<base::Loop::Watch> readable_;
  base::Timer settled_;
};

}  // namespace outrigger::config
