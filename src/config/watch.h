// Watches the files of the config: edits in place, renames by editors, and the symlink swap by
// which the kubelet updates a mounted ConfigMap.
//
// Only a change of content counts, not a touched file or another file in the folder. It is reported
// after a short time without further changes; no change after the Watch was made, or while it
// reports, is missed. Folders are watched, never a file itself: a rename or a swap gives the
// name to another inode. Thread: the loop's. Source: inotify(7); Kubernetes, "Mounted ConfigMaps".
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/loop.h"

namespace outrigger::config {

class Watch {
 public:
  // `on_trouble` is called with the reason why inotify is not available, also by the constructor,
  // and with "" when it is again. Meanwhile the Watch polls every few seconds.
  Watch(base::Loop& loop, std::string file, std::function<void()> on_change,
        std::function<void(const std::string& trouble)> on_trouble);
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch();

  // The other files that are read, and folders of schemas; they need not exist yet. To be called
  // before they are read, or a change in between is missed.
  void Follow(const std::vector<std::string>& paths);

  // Looks at once. Returns whether there was a change, which has been reported then.
  bool Look();

 private:
  void WatchFolders();
  std::string WatchFolder(const std::string& folder, std::set<int>& watches);
  void OnReadable();

  base::Loop& loop_;
  const std::string file_;
  std::function<void()> on_change_;
  std::function<void(const std::string&)> on_trouble_;
  int inotify_ = -1;
  std::set<int> watches_;
  std::map<std::string, size_t> contents_;  // path → hash of what was last seen there
  std::string trouble_;
  std::unique_ptr<base::Loop::Watch> readable_;
  base::Timer settled_;
  base::Timer look_again_;
};

}  // namespace outrigger::config
