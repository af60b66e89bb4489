// Keep-alive connections with one request outstanding each, over raw epoll on the calling thread.
//
// It shares the machine with what it measures: nothing is built, allocated or parsed for a request
// beyond one send, one recv, the status and Content-Length.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "answer_reader.h"
#include "histogram.h"
#include "requests.h"

namespace outrigger::bench {

struct Endpoint {
  std::string unix_path;  // empty: TCP on loopback
  uint16_t port = 0;
};

struct Measured {
  double seconds = 0;
  uint64_t events = 0;    // in requests answered 200
  uint64_t requests = 0;  // answered, whatever the code
  Histogram latency;      // of requests, in nanoseconds
  std::map<int, uint64_t> other_codes;
  std::string first_problem;  // of the first answer that was not 200
  uint64_t dropped_connections = 0;
  double server_cpu_seconds = 0;
  double own_cpu_seconds = 0;
};

class Load {
 public:
  // `requests` are sent in turns. `server` is whose CPU is measured; 0: nobody's. Throws
  // std::runtime_error when the server can't be reached.
  Load(Endpoint endpoint, size_t connections, std::vector<Request> requests, pid_t server);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // Requests one after another: `warm_up` seconds unmeasured, then `seconds` measured.
  Measured Repeat(double warm_up, double seconds);

  // One streamed request on each connection, from its first byte to the last connection's answer.
  // Ends after `seconds`, or with `events` > 0 after so many on each connection (whole blocks).
  Measured Stream(double seconds, uint64_t events);

 private:
  struct Connection {
    int fd = -1;
    const Request* request = nullptr;
    std::string_view out;  // what is left of the current piece
    uint64_t blocks = 0;   // begun
    bool tail = false;     // the last piece was begun
    bool waits_to_write = false;
    uint64_t began = 0;
    AnswerReader answer;
  };

  void Open(Connection& connection);
  void Reopen(Connection& connection);
  void Begin(Connection& connection);
  bool NextPiece(Connection& connection);
  void Write(Connection& connection);
  void Read(Connection& connection);
  void OnAnswer(Connection& connection);
  void Watch(Connection& connection, bool to_write, int operation);
  bool Turn(uint64_t until);
  void StartMeasuring();
  Measured FinishMeasuring();

  Endpoint endpoint_;
  std::vector<Request> requests_;
  pid_t server_;
  int epoll_ = -1;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<char> buffer_;
  size_t next_request_ = 0;
  size_t outstanding_ = 0;
  uint64_t block_limit_ = 0;  // 0: none
  bool ending_ = false;       // no further request or block is begun
  uint64_t last_progress_ = 0;
  uint64_t measuring_since_ = 0;
  Measured measured_;
};

}  // namespace outrigger::bench
