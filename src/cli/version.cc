#include "cli/commands.h"

namespace outrigger::cli {

std::string Version() { return OUTRIGGER_VERSION; }

std::string Commit() { return OUTRIGGER_COMMIT; }

}  // namespace outrigger::cli
