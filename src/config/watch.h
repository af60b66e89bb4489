// Tells when what the config is read from has changed: edits in place, editors' renames, and the
// symlink swap by which the kubelet updates a mounted ConfigMap.
//
// A change is one of content: a file that is only touched, or lies beside it, is none. It is told
// once what was seen has had a moment to settle; nothing that happens after the Watch is made, or
// while it tells, is missed. Folders are watched, never a file itself: a rename or a swap gives the
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
  // `on_trouble` is told why inotify can't be had, also by the constructor, and "" when it can
  // again. Meanwhile the Watch looks every few seconds.
  Watch(base::Loop& loop, std::string file, std::function<void()> on_change,
        std::function<void(const std::string& trouble)> on_trouble);
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch();

  // What is read besides the file: other files, and folders of schemas; they need not be there yet.
  // To be called before they are read, or a change in between is missed.
  void Follow(const std::vector<std::string>& paths);

  // Looks at once. Returns whether there was a change; it has been told then.
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
