#include <iostream>

#include "app/run.h"
#include "cli/commands.h"

int main(int argc, char** argv) {
  outrigger::cli::Console console{std::cin, std::cout, std::cerr,
                                  outrigger::config::ProcessEnvironment()};
  return outrigger::cli::Main(argc, argv, console, outrigger::app::Run);
}
