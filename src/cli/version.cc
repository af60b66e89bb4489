#include "cli/commands.h"

namespace outrigger::cli {

std::string Version() {
  return std::string(OUTRIGGER_VERSION) + " (commit " + OUTRIGGER_COMMIT + ")";
}

}  // namespace outrigger::cli
