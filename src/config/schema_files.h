// The files below a folder of schemas: the loader and the watch see the same ones.
//
// Thread: any; reads directories.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <system_error>

namespace outrigger::config {

struct SchemaFiles {
  std::set<std::filesystem::path> files;    // `.json`, in a fixed order
  std::set<std::filesystem::path> folders;  // the folder and all below it
  std::error_code error;                    // why the list is not whole
};

// Links are followed. Names that begin with `..` are skipped: a mounted ConfigMap has its
// files a second time there.
SchemaFiles FindSchemaFiles(const std::string& folder);

}  // namespace outrigger::config
