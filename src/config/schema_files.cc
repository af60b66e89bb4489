#include "config/schema_files.h"

namespace outrigger::config {

namespace fs = std::filesystem;

SchemaFiles FindSchemaFiles(const std::string& folder) {
  SchemaFiles found;
  std::error_code unreadable;  // a link that leads nowhere is no file
  fs::recursive_directory_iterator it(folder, fs::directory_options::follow_directory_symlink,
                                      found.error);
  if (!found.error) found.folders.insert(folder);
  for (const fs::recursive_directory_iterator end; it != end && !found.error;
       it.increment(found.error)) {
    if (it->path().filename().string().starts_with("..")) {
      it.disable_recursion_pending();
    } else if (it->is_directory(unreadable)) {
      found.folders.insert(it->path());
    } else if (it->is_regular_file(unreadable) && it->path().extension() == ".json") {
      found.files.insert(it->path());
    }
  }
  return found;
}

}  // namespace outrigger::config
