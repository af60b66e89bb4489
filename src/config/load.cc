#include "config/load.h"

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <set>

#include "config/environment.h"
#include "config/field.h"
#include "config/schema_files.h"
#include "config/yaml.h"

namespace outrigger::config {
namespace {

constexpr size_t kLargeFile = 256 << 10;

// FNV-1a, 64 bits: it only has to distinguish files.
std::string Hash(std::string_view text, std::string_view environment) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const std::string_view part : {text, std::string_view("\0", 1), environment})
    for (const unsigned char byte : part) hash = (hash ^ byte) * 0x100000001b3;
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex(16, '0');
  for (size_t i = 16; i-- > 0; hash >>= 4) hex[i] = kDigits[hash & 15];
  return hex;
}

base::Result<std::string> ReadFileBytes(const std::string& file) {
  const auto fail = [&](int error) {
    return base::Fail({base::Code::kNotFound, std::string("can't be read: ") + std::strerror(error),
                       "check the path and the permissions"});
  };
  const int descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return fail(errno);
  std::string bytes;
  std::array<char, 65536> piece;
  ssize_t length = 0;
  // One byte more than may be, so that too much is seen as that.
  while (bytes.size() <= YamlTree::kMaxBytes) {
    length = read(descriptor, piece.data(), piece.size());
    if (length < 0 && errno == EINTR) continue;
    if (length <= 0) break;
    bytes.append(piece.data(), static_cast<size_t>(length));
  }
  const int error = errno;
  close(descriptor);
  if (length < 0) return fail(error);
  return bytes;
}

// user.registered → user.events.
Route DefaultRoute() {
  Route route;
  route.place = {"built-in defaults"};
  route.path = "routes[0]";
  route.topic = {"{type.first}.events", route.place, "routes[0].topic"};
  return route;
}

void ReadTree(std::string_view yaml, const std::string& name, Loaded& loaded) {
  const auto tree = YamlTree::Read(yaml, name, loaded.problems);
  if (!tree) return;
  Reading reading(name, loaded.problems);
  static const YamlNode kNothing;
  const YamlNode& root = tree->root() ? *tree->root() : kNothing;
  const Spot spot{root, root.kind == YamlNode::Kind::kNull ? 0 : root.line, root.column, ""};
  if (root.kind == YamlNode::Kind::kNull)
    reading.Error(spot, "is empty", "start it with `apiVersion: outrigger/v1` and `kind: Sidecar`");
  else
    SidecarFields().Read(loaded.config, spot, reading);
  // Absent is the default; an empty list is a wish.
  if (!root.Find("routes")) loaded.config.routes.push_back(DefaultRoute());
  if (!HasErrors(loaded.problems) && loaded.config.routes.empty())
    reading.Warn(spot, "has no routes: every event is answered 404",
                 "add a rule, or leave `routes` out");
}

// The config with the schemas that it names, which are applied with it.
std::string WithSchemas(const Config& config) {
  std::set<std::string> folders;  // many routes may share one
  for (const auto& route : config.routes)
    if (route.schemas) folders.insert(route.schemas->value);
  std::string schemas;
  for (const auto& folder : folders)
    for (const auto& path : FindSchemaFiles(folder).files)
      schemas.append(path.lexically_relative(folder))
          .append(ReadFileBytes(path).value_or(std::string()));
  return schemas.empty() ? config.generation : Hash(config.generation, schemas);
}

// A change of a secret is a change of the config. It is no part of the generation, which is shown:
// whoever reads that could try passwords against it.
std::string FingerprintOf(const Security& security) {
  std::string contents;
  for (const auto& file : security.files())
    contents.append(file).append(ReadFileBytes(file).value_or(std::string()));
  return contents.empty() ? contents : Hash(contents, {});
}

Loaded Defaults(const Environment& environment) {
  Loaded loaded;
  loaded.config.routes.push_back(DefaultRoute());
  const std::string set = ApplyEnvironment(environment, loaded.config.kafka, loaded.problems);
  loaded.config.generation = Hash("", set);
  return loaded;
}

}  // namespace

std::vector<std::string> Security::files() const {
  std::vector<std::string> files = {username_file, password_file, ca_file,
                                    cert_file,     key_file,      key_password_file};
  std::erase(files, std::string());
  return files;
}

Loaded LoadText(std::string_view yaml, const std::string& name, const Environment& environment) {
  Loaded loaded;
  loaded.config.file = name;
  ReadTree(yaml, name, loaded);
  const std::string set = ApplyEnvironment(environment, loaded.config.kafka, loaded.problems);
  Reading reading(name, loaded.problems);
  FinishSubscriptions(loaded.config, reading);
  CheckMemory(loaded.config, reading);
  loaded.config.generation = Hash(yaml, set);
  return loaded;
}

Loaded Load(const std::string& file, const Environment& environment) {
  if (file.empty()) return Defaults(environment);
  const auto bytes = ReadFileBytes(file);
  if (!bytes) {
    Loaded loaded;
    loaded.config.file = file;
    loaded.problems.push_back({{file}, "", bytes.error().message, bytes.error().hint});
    return loaded;
  }
  Loaded loaded = LoadText(*bytes, file, environment);
  loaded.config.generation = WithSchemas(loaded.config);
  Security& security = loaded.config.kafka.security;
  security.fingerprint = FingerprintOf(security);
  // The tree of a large file takes tens of megabytes, which this returns.
  if (bytes->size() > kLargeFile) malloc_trim(0);
  return loaded;
}

std::string JsonSchema() {
  Json schema = {{"$schema", "http://json-schema.org/draft-07/schema#"},
                 {"title", "Outrigger, kind Sidecar, apiVersion outrigger/v1"}};
  schema.update(SidecarFields().Schema());
  return schema.dump(2) + "\n";
}

}  // namespace outrigger::config
