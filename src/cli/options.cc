#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <fstream>

#include "outbound/sidecar_client.h"

namespace outrigger::cli {

void AddConfig(CLI::App& command, std::string& file) {
  command
      .add_option("-c,--config", file,
                  "Config file; else $OUTRIGGER_CONFIG, else /etc/outrigger/outrigger.yaml where "
                  "it is there, else built-in defaults")
      ->type_name("FILE");
}

void AddOutput(CLI::App& command, std::string& output) {
  command.add_option("-o,--output", output, "text or json; text by default")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORM");
}

void AddSidecar(CLI::App& command, SidecarOptions& options) {
  command
      .add_option("--url", options.url,
                  "The sidecar; else $OUTRIGGER_URL, else http://127.0.0.1:8800")
      ->type_name("URL");
  command.add_option("--token-file", options.token_file, "File with the token of http.tokenFile")
      ->type_name("FILE");
}

base::Result<outbound::SidecarAddress> AddressOf(const SidecarOptions& options,
                                                 outbound::SidecarAddress otherwise,
                                                 const Console& console) {
  outbound::SidecarAddress sidecar = std::move(otherwise);
  if (const auto url = console.environment("OUTRIGGER_URL")) sidecar.url = *url;
  if (!options.url.empty()) sidecar.url = options.url;
  if (options.token_file.empty()) return sidecar;
  std::ifstream in(options.token_file);
  if (!std::getline(in, sidecar.token))
    return base::Fail(
        base::Error::Invalid("--token-file " + options.token_file + " can't be read or is empty"));
  return sidecar;
}

}  // namespace outrigger::cli
