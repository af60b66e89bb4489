// The memory limit of the container that the process runs in, as its cgroup says: version 1 or 2.
//
// The limit of the process's cgroup and of every cgroup around it, the smallest of them. In a
// container /proc/self/cgroup may name folders of the host that are not there; the container's own
// limit is then at the root of the mounted tree.
//
// Thread: any; reads a few small files. Nothing is an error: what can't be read limits nothing.
// Sources: cgroups(7), the kernel's cgroup-v1/memory.rst and cgroup-v2.rst.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace outrigger::base {

// Bytes; nothing where there is no limit. `root` is what "/" is elsewhere.
std::optional<uint64_t> ContainerMemoryLimit(const std::filesystem::path& root = "/");

// The content of a limit's file. "max", and what no machine has (version 1's way to say "none"), is
// nothing.
std::optional<uint64_t> ParseMemoryLimit(std::string_view text);

// The files of /sys/fs/cgroup, relative to it, that may limit a process whose /proc/self/cgroup is
// `text`.
std::vector<std::string> MemoryLimitFiles(std::string_view text);

}  // namespace outrigger::base
