#include "http/response_parser.h"

#include <gtest/gtest.h>

namespace outrigger::http {
namespace {

ClientLimits Limits() {
  ClientLimits limits;
  limits.max_header = 512;
  limits.max_body = 100;
  limits.max_trailer = 256;
  return limits;
}

struct Parsed {
  Answer answer;
  bool done = false;
  bool keep_alive = false;
  std::string wrong;
  std::string left;
};

// Feeds `pieces` as a connection does: what was not used is offered again with more behind it.
Parsed Feed(const std::vector<std::string>& pieces, bool end = false, bool head_only = false) {
  const ClientLimits limits = Limits();
  ResponseParser parser(limits);
  parser.Start(head_only);
  Parsed parsed;
  for (const std::string& piece : pieces) {
    parsed.left += piece;
    parsed.left.erase(0, parser.Read(parsed.left));
    if (!parser.wrong().empty()) break;
  }
  if (end) parser.End();
  parsed.done = parser.done();
  parsed.wrong = parser.wrong();
  parsed.keep_alive = parser.keep_alive();
  parsed.answer = parser.TakeAnswer();
  return parsed;
}

Parsed Whole(const std::string& text) { return Feed({text}); }

const std::string kHead = "HTTP/1.1 200 OK\r\n";
const std::string kChunked = kHead + "Transfer-Encoding: chunked\r\n\r\n";

TEST(ResponseParser, GivesStatusHeadersInLowerCaseAndBody) {
  const Parsed parsed =
      Whole(kHead + "X-One:  a b \r\nRETRY-After: 3\r\nContent-Length: 3\r\n\r\nabc");
  ASSERT_TRUE(parsed.done) << parsed.wrong;
  EXPECT_EQ(parsed.answer.status, 200);
  EXPECT_EQ(parsed.answer.body, "abc");
  EXPECT_EQ(parsed.answer.Find("x-one"), "a b");
  EXPECT_EQ(parsed.answer.Find("retry-after"), "3");
  EXPECT_EQ(parsed.answer.Find("none"), "");
  EXPECT_TRUE(parsed.keep_alive);
}

TEST(ResponseParser, ReadsTheSameInEverySplit) {
  const std::string texts[] = {
      kHead + "Content-Length: 5\r\n\r\nhello",
      kChunked + "3\r\nhel\r\n2;x=\"y\"\r\nlo\r\n0\r\nT: v\r\n\r\n",
      kChunked + "5\r\nhello\r\n0\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + kHead +
          "Content-Length: 5\r\n\r\nhello",
  };
  for (const std::string& text : texts) {
    for (size_t first = 0; first <= text.size(); ++first) {
      for (size_t second = first; second <= text.size(); ++second) {
        const Parsed parsed =
            Feed({text.substr(0, first), text.substr(first, second - first), text.substr(second)});
        ASSERT_TRUE(parsed.done) << text << parsed.wrong << first << " " << second;
        ASSERT_EQ(parsed.answer.body, "hello");
        ASSERT_EQ(parsed.answer.status, 200);
        ASSERT_TRUE(parsed.left.empty());
        ASSERT_TRUE(parsed.keep_alive);
      }
    }
    std::vector<std::string> bytes;
    for (const char c : text) bytes.emplace_back(1, c);
    EXPECT_EQ(Feed(bytes).answer.body, "hello");
  }
}

TEST(ResponseParser, LeavesWhatComesBehindTheAnswer) {
  EXPECT_EQ(Whole(kHead + "Content-Length: 2\r\n\r\nabHTTP").left, "HTTP");
  EXPECT_EQ(Whole(kChunked + "0\r\n\r\nmore").left, "more");
  EXPECT_EQ(Whole("HTTP/1.1 204 No Content\r\n\r\nx").left, "x");
}

TEST(ResponseParser, TakesAStatusLineWithoutAReason) {
  for (const char* line : {"HTTP/1.1 202\r\n", "HTTP/1.1 202 \r\n"}) {
    const Parsed parsed = Whole(line + std::string("Content-Length: 0\r\n\r\n"));
    EXPECT_TRUE(parsed.done) << parsed.wrong;
    EXPECT_EQ(parsed.answer.status, 202);
    EXPECT_TRUE(parsed.left.empty());
  }
  EXPECT_TRUE(Feed({"HTTP/1.1 202\r\n\r\n"}, true).done);
}

TEST(ResponseParser, StatusesAndRequestsWithoutABody) {
  for (const char* status : {"204 No Content", "304 Not Modified"}) {
    const Parsed parsed = Whole("HTTP/1.1 " + std::string(status) + "\r\n\r\n");
    EXPECT_TRUE(parsed.done) << parsed.wrong;
    EXPECT_TRUE(parsed.keep_alive);
  }
  // A body that must not be there may follow: the connection is not to be trusted.
  for (const char* line : {"Content-Length: 5", "Transfer-Encoding: chunked"}) {
    const Parsed parsed = Whole("HTTP/1.1 204 No Content\r\n" + std::string(line) + "\r\n\r\n");
    EXPECT_TRUE(parsed.done) << parsed.wrong;
    EXPECT_FALSE(parsed.keep_alive);
  }
  for (const char* line : {"Content-Length: 1000000", "Transfer-Encoding: chunked", "X: y"}) {
    const Parsed parsed = Feed({kHead + line + "\r\n\r\n"}, false, true);
    EXPECT_TRUE(parsed.done) << parsed.wrong;
    EXPECT_TRUE(parsed.answer.body.empty());
  }
}

TEST(ResponseParser, ABodyWithoutALengthEndsWithTheConnection) {
  for (const std::string& text : {kHead + "\r\nabc", std::string("HTTP/1.0 200 OK\r\n\r\nabc")}) {
    EXPECT_FALSE(Whole(text).done);
    const Parsed parsed = Feed({text}, true);
    EXPECT_TRUE(parsed.done);
    EXPECT_EQ(parsed.answer.body, "abc");
    EXPECT_FALSE(parsed.keep_alive);
  }
}

TEST(ResponseParser, AnyOtherAnswerIsNotWholeWhenTheConnectionEnds) {
  for (const std::string& text :
       {std::string(""), std::string("HTTP/1.1 20"), kHead, kHead + "Content-Length: 3\r\n\r\nab",
        kChunked, kChunked + "3\r\nabc\r\n", kChunked + "3\r\nabc\r\n0\r\n",
        std::string("HTTP/1.1 100 Continue\r\n\r\n")}) {
    const Parsed parsed = Feed({text}, true);
    EXPECT_FALSE(parsed.done) << text;
    EXPECT_EQ(parsed.wrong, "") << text;
  }
}

TEST(ResponseParser, KnowsWhetherTheConnectionStays) {
  const std::string length = "Content-Length: 0\r\n";
  EXPECT_FALSE(Whole(kHead + length + "Connection: close\r\n\r\n").keep_alive);
  EXPECT_FALSE(Whole("HTTP/1.0 200 OK\r\n" + length + "\r\n").keep_alive);
  EXPECT_TRUE(Whole("HTTP/1.0 200 OK\r\n" + length + "Connection: keep-alive\r\n\r\n").keep_alive);
}

TEST(ResponseParser, CanBeStartedAgain) {
  const ClientLimits limits = Limits();
  ResponseParser parser(limits);
  for (const std::string& text : {kHead + "Content-Length: 1\r\n\r\na", kChunked + "0\r\n\r\n",
                                  std::string("garbage"), kHead + "Content-Length: 1\r\n\r\nb"}) {
    parser.Start(false);
    parser.Read(text);
    EXPECT_EQ(parser.done(), text != "garbage");
  }
  EXPECT_EQ(parser.TakeAnswer().body, "b");
}

// ---- malformed

TEST(ResponseParser, RefusesMalformedAnswers) {
  const std::string empty = "Content-Length: 0\r\n\r\n";
  const std::string bad[] = {
      "SSH-2.0-OpenSSH\r\n",
      "\r\n" + kHead + empty,
      "HTTP/2 200 OK\r\n" + empty,
      "HTTP/1.2 200 OK\r\n" + empty,
      "HTTP/1.1 2000 OK\r\n" + empty,
      "HTTP/1.1 20 OK\r\n" + empty,
      "HTTP/1.1 099 OK\r\n" + empty,
      "HTTP/1.1 600 OK\r\n" + empty,
      "HTTP/1.1 -20 OK\r\n" + empty,
      "HTTP/1.1  200 OK\r\n" + empty,
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
      kHead + "Content-Length: 1\r\nContent-Length: 2\r\n\r\na",
      kHead + "Content-Length: 1, 2\r\n\r\na",
      kHead + "Content-Length: 1,\r\nContent-Length: ,1\r\n\r\na",
      kHead + " folded: a\r\n" + empty,
      kHead + "X: a\rY: b\r\n" + empty,
      kHead + "Content-Length: -1\r\n\r\na",
      kHead + "Content-Length: +1\r\n\r\na",
      kHead + "Content-Length: 0x1\r\n\r\na",
      kHead + "Content-Length:\r\n\r\na",
      kHead + "Content-Length: 99999999999999999999999\r\n\r\na",
      kHead + "Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n",
      kHead + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      kHead + "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
      kHead + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      kHead + "X: a" + std::string(1, '\0') + "\r\n" + empty,
      kHead + "nocolon\r\n" + empty,
      kHead + ": a\r\n" + empty,
      kChunked + "x\r\nabc\r\n0\r\n\r\n",
      kChunked + "-1\r\na\r\n0\r\n\r\n",
      kChunked + " 1\r\na\r\n0\r\n\r\n",
      kChunked + "1\r\nabc\r\n0\r\n\r\n",
      kChunked + "1;\x01=2\r\na\r\n0\r\n\r\n",
      kChunked + "fffffffffffffffff\r\na\r\n0\r\n\r\n",
      kChunked + "0\r\nX: a\r\n b\r\n\r\n",
      kChunked + "0\r\nnocolon\r\n\r\n",
  };
  for (const std::string& text : bad) {
    const Parsed whole = Whole(text);
    EXPECT_NE(whole.wrong, "") << text;
    EXPECT_FALSE(whole.done && whole.wrong.empty()) << text;
    std::vector<std::string> bytes;
    for (const char c : text) bytes.emplace_back(1, c);
    EXPECT_NE(Feed(bytes).wrong, "") << "byte by byte: " << text;
  }
}

// What servers in use really send. No one can abuse it here: what an answer means beyond its end is
// nobody's, as one connection carries one call at a time.
TEST(ResponseParser, TakesWhatIsClearThoughNotStrictlyValid) {
  const std::string lf = "HTTP/1.1 200 OK\nX: a\nContent-Length: 5\n\nhello";
  const struct {
    const char* what;
    std::string text;
    bool keep_alive = true;
  } cases[] = {
      {"LF alone", lf},
      {"LF alone here and there", "HTTP/1.1 200 OK\r\nX: a\nContent-Length: 5\n\r\nhello"},
      {"one length twice", kHead + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"},
      {"one length twice in a list", kHead + "Content-Length: 5, 5\r\n\r\nhello"},
      {"a folded line", kHead + "X: a\r\n\t b\r\nContent-Length: 5\r\n\r\nhello"},
      {"a folded length", kHead + "Content-Length:\r\n 5\r\n\r\nhello"},
      {"a blank before the colon", kHead + "Content-Length : 5\r\n\r\nhello"},
      {"chunks in lines of LF alone",
       "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n3;x\nhel\n2 \r\nlo\n0\nT: v\n\n"},
      {"both lengths",
       kHead + "Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n"
               "5\r\nhello\r\n0\r\n\r\n",
       false},
      {"chunks of HTTP/1.0",
       "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n"
       "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
       false},
      {"identity", kHead + "Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello"},
      {"no reason", "HTTP/1.1 200\nContent-Length: 5\n\nhello"},
      {"interim answers in LF alone", "HTTP/1.1 100 Continue\n\nHTTP/1.1 103\nLink: x\n\n" + lf},
      {"HTTP/1.0 that stays",
       "HTTP/1.0 200 OK\nConnection: Keep-Alive\nContent-Length: 5\n\nhello"},
      {"HTTP/1.0 that goes", "HTTP/1.0 200 OK\nContent-Length: 5\n\nhello", false},
      {"closed among others", kHead + "Connection: x, Close\r\nContent-Length: 5\r\n\r\nhello",
       false},
  };
  for (const auto& [what, text, keep_alive] : cases) {
    for (size_t split = 0; split <= text.size(); ++split) {
      const Parsed parsed = Feed({text.substr(0, split), text.substr(split)});
      ASSERT_TRUE(parsed.done) << what << ", at " << split << ": " << parsed.wrong;
      EXPECT_EQ(parsed.answer.status, 200) << what;
      EXPECT_EQ(parsed.answer.body, "hello") << what;
      EXPECT_EQ(parsed.keep_alive, keep_alive) << what;
      EXPECT_EQ(parsed.left, "") << what;
    }
  }
  EXPECT_EQ(Whole(kHead + "X: a\r\n\t b \r\nContent-Length: 0\r\n\r\n").answer.Find("x"), "a b");
  const Parsed closed = Feed({"HTTP/1.1 200 OK\nX: y\n\nuntil the end"}, true);
  EXPECT_EQ(closed.answer.body, "until the end");
}

TEST(ResponseParser, TellsAnotherProtocolFromItsFirstBytes) {
  EXPECT_NE(Whole("\x15\x03\x01").wrong, "");
  EXPECT_NE(Whole("HTTQ").wrong, "");
  EXPECT_EQ(Whole("HTTP").wrong, "");
}

// ---- limits

TEST(ResponseParser, BoundsTheHead) {
  const std::string large = kHead + "X: " + std::string(600, 'x');
  EXPECT_NE(Whole(large + "\r\n\r\n").wrong.find("512"), std::string::npos);
  EXPECT_NE(Whole(large).wrong, "");  // its end is not waited for
  EXPECT_NE(Whole("HTTP/1.1 100 Continue\r\nX: " + std::string(600, 'x')).wrong, "");
}

// The three ways to send a body, closed behind it.
std::vector<std::string> WithBody(const std::string& body) {
  std::string chunks;
  for (size_t at = 0; at < body.size(); at += 40) {
    const std::string part = body.substr(at, 40);
    char size[16];
    std::snprintf(size, sizeof size, "%zx\r\n", part.size());
    chunks += size + part + "\r\n";
  }
  return {kHead + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body,
          kChunked + chunks + "0\r\n\r\n", kHead + "\r\n" + body};
}

TEST(ResponseParser, OfABodyBeyondTheLimitTheBeginningIsKeptAndTheRestSkipped) {
  for (const size_t size : {99, 100, 101, 150, 5000}) {
    const std::string body = std::string(90, 'a') + std::string(size - 90, 'b');
    for (const std::string& text : WithBody(body)) {
      for (const size_t piece : {text.size(), size_t{1}, size_t{7}}) {
        std::vector<std::string> pieces;
        for (size_t at = 0; at < text.size(); at += piece) pieces.push_back(text.substr(at, piece));
        const Parsed parsed = Feed(pieces, true);
        ASSERT_TRUE(parsed.done) << parsed.wrong << size;
        EXPECT_EQ(parsed.answer.body, body.substr(0, 100));
        EXPECT_EQ(parsed.answer.cut_short, size > 100);
        EXPECT_EQ(parsed.left, "");
      }
    }
  }
}

TEST(ResponseParser, ABodyBeyondTheLimitMustBeWholeToo) {
  for (std::string text : WithBody(std::string(500, 'x'))) {
    if (text == WithBody(std::string(500, 'x')).back()) continue;  // its end is the connection's
    text.pop_back();
    EXPECT_FALSE(Feed({text}, true).done);
  }
}

TEST(ResponseParser, ABodyBeyondTheLimitTakesNoMemoryForWhatIsSkipped) {
  const Parsed parsed =
      Whole(kHead + "Content-Length: 1000000000000\r\n\r\n" + std::string(1000, 'x'));
  EXPECT_EQ(parsed.wrong, "");
  EXPECT_LE(parsed.answer.body.capacity(), 200u);
  EXPECT_EQ(parsed.left, "");
}

TEST(ResponseParser, BoundsTrailersAndChunkExtensionsTogether) {
  EXPECT_TRUE(Whole(kChunked + "0\r\nT: " + std::string(200, 't') + "\r\n\r\n").done);
  EXPECT_NE(Whole(kChunked + "0\r\nT: " + std::string(300, 't') + "\r\n\r\n").wrong, "");
  EXPECT_NE(Whole(kChunked + "0\r\nT: " + std::string(400, 't')).wrong, "");
  EXPECT_NE(Whole(kChunked + "1;x=" + std::string(400, 'e')).wrong, "");
  EXPECT_NE(Whole(kChunked + "1;x=" + std::string(150, 'e') +
                  "\r\na\r\n0;x=" + std::string(150, 'e') + "\r\n\r\n")
                .wrong,
            "");
}

TEST(ResponseParser, BoundsChunkLinesThatSayNothing) {
  std::string text = kChunked;
  for (int i = 0; i < 20; ++i) text += std::string(200, '0') + "1\r\na\r\n";
  EXPECT_NE(Whole(text).wrong, "");
  text = kChunked;
  for (int i = 0; i < 100; ++i) text += "1\r\na\r\n";
  EXPECT_TRUE(Whole(text + "0\r\n\r\n").done);
}

TEST(ResponseParser, BoundsInterimAnswers) {
  std::string text;
  for (int i = 0; i < 16; ++i) text += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_TRUE(Whole(text + kHead + "Content-Length: 0\r\n\r\n").done);
  EXPECT_NE(Whole(text + "HTTP/1.1 102 Processing\r\n\r\n").wrong, "");
}

TEST(ResponseParser, DoesNotKeepHeadersOfInterimAnswers) {
  const Parsed parsed =
      Whole("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + kHead + "Content-Length: 0\r\n\r\n");
  EXPECT_EQ(parsed.answer.Find("link"), "");
  EXPECT_EQ(parsed.answer.status, 200);
}

}  // namespace
}  // namespace outrigger::http
