// What the kernel alone takes for a request and its answer: a thread that reads whatever comes and
// sends the same bytes back, an answer as the sidecar's. Prints its port, runs until its standard
// input ends.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string_view>
#include <vector>

namespace {

constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 113\r\n\r\n"
    R"({"id":"019a0000-0000-7000-8000-000000000000","status":"acked","topic":"bench4",)"
    R"("partition":0,"offset":1234567890})";

int Listen() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(fd, generic, size) != 0 || listen(fd, 16) != 0 || getsockname(fd, generic, &size) != 0)
    return -1;
  std::printf("%d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  return fd;
}

}  // namespace

int main() {
  const int listener = Listen();
  if (listener < 0) return 1;
  std::vector<pollfd> watched = {{STDIN_FILENO, POLLIN, 0}, {listener, POLLIN, 0}};
  while (poll(watched.data(), watched.size(), -1) > 0 && watched[0].revents == 0) {
    if (watched[1].revents != 0) watched.push_back({accept(listener, nullptr, nullptr), POLLIN, 0});
    for (size_t i = 2; i < watched.size(); ++i) {
      std::array<char, 4096> request;
      if (watched[i].revents == 0) continue;
      if (read(watched[i].fd, request.data(), request.size()) <= 0 ||
          write(watched[i].fd, kAnswer.data(), kAnswer.size()) < 0)
        watched[i].fd = -1;  // which poll ignores
    }
  }
  return 0;
}
