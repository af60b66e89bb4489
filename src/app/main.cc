#include <iostream>

#include "app/allocator.h"
#include "app/check.h"
#include "app/run.h"
#include "cli/commands.h"

int main(int argc, char** argv) {
  outrigger::app::SetUpAllocator();
  // Unsynchronized, so that standard input can be asked whether more input is available.
  std::ios::sync_with_stdio(false);
  outrigger::cli::Console console{std::cin, std::cout, std::cerr,
                                  outrigger::config::ProcessEnvironment()};
  return outrigger::cli::Main(argc, argv, console, outrigger::app::Run,
                              outrigger::app::CheckClients);
}
