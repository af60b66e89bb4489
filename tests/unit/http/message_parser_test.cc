#include "http/message_parser.h"

#include <gtest/gtest.h>

#include <memory>

#include "base/ascii.h"

namespace outrigger::http {
namespace {

constexpr uint64_t kMaxTrailer = 256;

// A head that was read; the parser behind it can go on with the body.
struct Parsed {
  Head head;
  std::string bytes;
  std::unique_ptr<MessageParser> parser = std::make_unique<MessageParser>(head, kMaxTrailer);
  std::optional<Refusal> refusal;
  size_t end = 0;

  int status() const { return refusal ? refusal->status : 200; }
};

std::unique_ptr<Parsed> ReadHead(const std::string& text) {
  auto parsed = std::make_unique<Parsed>();
  size_t from = 0;
  const auto end = FindHeadEnd(text, from, parsed->refusal);
  if (parsed->refusal) return parsed;
  if (!end) {
    parsed->refusal = Refusal{0, "no end", {}};
    return parsed;
  }
  parsed->end = *end;
  parsed->bytes = text.substr(0, *end);
  parsed->refusal = parsed->parser->ReadHead(parsed->bytes);
  return parsed;
}

// With one Host and these lines ("Name: value\r\n" each).
std::unique_ptr<Parsed> WithLines(const std::string& lines) {
  return ReadHead("POST /v1/events HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n");
}

std::unique_ptr<Parsed> Chunked() { return WithLines("Transfer-Encoding: chunked\r\n"); }

struct Body {
  std::string text;
  std::optional<Refusal> refusal;
  bool done = false;
  std::string left;

  int status() const { return refusal ? refusal->status : 200; }
};

// Feeds `pieces` as a connection does: what was not used is offered again with more behind it.
Body ReadBody(Parsed& parsed, const std::vector<std::string>& pieces) {
  Body body;
  const auto sink = [&](std::string_view bytes) {
    body.text.append(bytes);
    return bytes.size();
  };
  for (const auto& piece : pieces) {
    body.left += piece;
    if (body.refusal || parsed.parser->body_done()) continue;
    body.left.erase(0, parsed.parser->ReadBody(body.left, sink, body.refusal));
  }
  body.done = !body.refusal && parsed.parser->body_done();
  return body;
}

Body ReadChunks(const std::string& text) { return ReadBody(*Chunked(), {text}); }

std::vector<std::string> Bytes(const std::string& text) {
  std::vector<std::string> pieces;
  for (const char c : text) pieces.emplace_back(1, c);
  return pieces;
}

// ---- where the head ends

TEST(HeadEnd, IsTheSameForBytesOneByOneAndAllAtOnce) {
  const std::string text = "GET / HTTP/1.1\r\nHost: a\r\n\r\nrest";
  size_t from = 0;
  std::optional<Refusal> refusal;
  EXPECT_EQ(FindHeadEnd(text, from, refusal), text.size() - 4);
  from = 0;
  for (size_t length = 0; length < text.size() - 4; ++length)
    ASSERT_FALSE(FindHeadEnd(text.substr(0, length), from, refusal)) << length;
  EXPECT_EQ(FindHeadEnd(text.substr(0, text.size() - 4), from, refusal), text.size() - 4);
  EXPECT_FALSE(refusal);
}

TEST(HeadEnd, ABareLfIsRefusedEverywhere) {
  for (const char* text :
       {"GET / HTTP/1.1\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\n", "\n", "GET / HTTP/1.1\r\nA: b\nHost: a\r\n\r\n"})
    EXPECT_EQ(ReadHead(text)->status(), 400) << text;
}

TEST(HeadEnd, AFoldedLineIsRefusedAlsoWhenItsBlankComesLater) {
  const std::string text = "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n";
  for (size_t split = 1; split < text.size(); ++split) {
    size_t from = 0;
    std::optional<Refusal> refusal;
    FindHeadEnd(text.substr(0, split), from, refusal);
    std::optional<size_t> end;
    if (!refusal) end = FindHeadEnd(text, from, refusal);
    if (!refusal) {
      ASSERT_TRUE(end);
      Head head;
      MessageParser parser(head, kMaxTrailer);
      std::string bytes = text.substr(0, *end);
      refusal = parser.ReadHead(bytes);
    }
    ASSERT_TRUE(refusal) << split;
    EXPECT_EQ(refusal->status, 400);
  }
  EXPECT_EQ(WithLines("X: 1\r\n\t2\r\n")->status(), 400);
}

// ---- heads that are taken

TEST(Head, HasMethodPathQueryAndFieldsInLowerCase) {
  const auto parsed = ReadHead(
      "POST /v1/events/user%20a?key=a%2Bb+c&x HTTP/1.1\r\nHoSt: localhost:8800\r\n"
      "X-One:  two \t\r\nContent-Length: 12\r\n\r\n");
  ASSERT_EQ(parsed->status(), 200) << parsed->refusal->detail;
  const Head& head = parsed->head;
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.path, "/v1/events/user a");
  ASSERT_NE(head.Query("key"), nullptr);
  EXPECT_EQ(*head.Query("key"), "a+b c");
  ASSERT_NE(head.Query("x"), nullptr);
  EXPECT_EQ(*head.Query("x"), "");
  EXPECT_EQ(head.Query("nothing"), nullptr);
  EXPECT_EQ(head.Find("host"), "localhost:8800");
  EXPECT_EQ(head.Find("x-one"), "two");
  EXPECT_EQ(head.Find("nothing"), "");
  EXPECT_EQ(head.content_length, 12U);
  EXPECT_FALSE(head.chunked);
  EXPECT_TRUE(parsed->parser->has_body());
  EXPECT_TRUE(parsed->parser->keep_alive());
}

TEST(Head, ConnectionAndVersionDecideWhetherItIsKeptAlive) {
  EXPECT_FALSE(WithLines("Connection: close\r\n")->parser->keep_alive());
  EXPECT_FALSE(WithLines("Connection: foo, Close\r\n")->parser->keep_alive());
  EXPECT_TRUE(WithLines("Connection: keep-alive\r\n")->parser->keep_alive());
  EXPECT_FALSE(ReadHead("GET / HTTP/1.0\r\n\r\n")->parser->keep_alive());
  EXPECT_TRUE(ReadHead("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")->parser->keep_alive());
}

TEST(Head, OfHttp10NeedsNoHostAndIgnoresExpect) {
  EXPECT_EQ(ReadHead("GET / HTTP/1.0\r\n\r\n")->status(), 200);
  const auto parsed =
      ReadHead("POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(parsed->status(), 200);
  EXPECT_FALSE(parsed->parser->expects_continue());  // RFC 9110 section 10.1.1
}

TEST(Head, ExpectsOnly100Continue) {
  EXPECT_TRUE(WithLines("Expect: 100-Continue\r\n")->parser->expects_continue());
  EXPECT_EQ(WithLines("Expect: 200-maybe\r\n")->status(), 417);
}

TEST(Head, OtherVersionsAre505) {
  for (const char* version : {"HTTP/2.0", "HTTP/1.2", "HTTP/0.9", "HTTP/3.0"})
    EXPECT_EQ(ReadHead(std::string("GET / ") + version + "\r\nHost: a\r\n\r\n")->status(), 505)
        << version;
}

TEST(Head, AMalformedFirstLineIs400) {
  for (const char* line :
       {"GET", "GET /", "GET  / HTTP/1.1", "GET / HTTP/1.1 ", " GET / HTTP/1.1", "G@T / HTTP/1.1",
        "GET / http/1.1", "GET / HTTP/11", "GET /\x01 HTTP/1.1", "GET\t/ HTTP/1.1"}) {
    const int status = ReadHead(std::string(line) + "\r\nHost: a\r\n\r\n")->status();
    EXPECT_TRUE(status == 400 || status == 505) << line << ": " << status;
  }
}

TEST(Head, AMalformedFieldIs400) {
  for (const std::string& line :
       {std::string("NoColon"), std::string("Blank : a"), std::string(": a"),
        std::string("A\x01: b"), std::string("A: b\x01"), std::string("A: b\0c", 6),
        std::string("A: b\rc"), std::string("A(: b")})
    EXPECT_EQ(WithLines(line + "\r\n")->status(), 400) << line;
}

// ---- what frames the body

TEST(ContentLength, IsADecimalNumberAndAppearsOnce) {
  EXPECT_EQ(WithLines("Content-Length: 0\r\n")->head.content_length, 0U);
  EXPECT_EQ(WithLines("Content-Length: 007\r\n")->head.content_length, 7U);
  for (const char* value :
       {"-1", "+1", "0x10", "1f", "", "1 1", "1,1", "1, 1", "1.0", "1e3", "18446744073709551616",
        "18446744073709551615", "99999999999999999999999999999999", "\"1\""})
    EXPECT_EQ(WithLines(std::string("Content-Length: ") + value + "\r\n")->status(), 400) << value;
  EXPECT_EQ(WithLines("Content-Length: 3\r\nContent-Length: 3\r\n")->status(), 400);
  EXPECT_EQ(WithLines("Content-Length: 3\r\ncontent-length: 4\r\n")->status(), 400);
}

TEST(TransferEncoding, IsOneChunkedOrNothing) {
  EXPECT_TRUE(WithLines("Transfer-Encoding: chunked\r\n")->head.chunked);
  EXPECT_TRUE(WithLines("transfer-encoding: CHUNKED\r\n")->head.chunked);
  for (const char* value : {"gzip", "gzip, chunked", "chunked, gzip", "\"chunked\"", "identity",
                            "chunked;q=1", "xchunked", "chunked, chunked", ""}) {
    const int status = WithLines(std::string("Transfer-Encoding: ") + value + "\r\n")->status();
    EXPECT_TRUE(status == 400 || status == 501) << value << ": " << status;
  }
  EXPECT_EQ(WithLines("Transfer-Encoding: gzip, chunked\r\n")->status(), 501);
  EXPECT_EQ(WithLines("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")->status(),
            400);
  EXPECT_EQ(ReadHead("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n")->status(), 400);
}

TEST(TransferEncoding, ExcludesContentLengthInBothOrders) {
  EXPECT_EQ(WithLines("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n")->status(), 400);
  EXPECT_EQ(WithLines("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n")->status(), 400);
  EXPECT_EQ(WithLines("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n")->status(), 400);
  EXPECT_NE(WithLines("Transfer-Encoding: chunked;q=1\r\nContent-Length: 3\r\n")->status(), 200);
}

TEST(Host, AppearsOnceAndIsAName) {
  const std::string start = "GET / HTTP/1.1\r\n";
  EXPECT_EQ(ReadHead(start + "\r\n")->status(), 400);
  EXPECT_EQ(ReadHead(start + "Host: a\r\nHost: a\r\n\r\n")->status(), 400);
  for (const char* host : {"a b", "a/b", "user@a", "a\"b", "a,b", "a?b", "a#b", "<a>", "\xC3\xA9"})
    EXPECT_EQ(ReadHead(start + "Host: " + host + "\r\n\r\n")->status(), 400) << host;
  for (const char* host : {"a", "127.0.0.1:8800", "[::1]:8800", "pod-0.svc", ""})
    EXPECT_EQ(ReadHead(start + "Host: " + host + "\r\n\r\n")->status(), 200) << host;
  EXPECT_EQ(ReadHead("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n")->status(), 400);
}

TEST(ContentEncoding, IsNotTakenExceptIdentity) {
  EXPECT_EQ(WithLines("Content-Encoding: gzip\r\n")->status(), 415);
  EXPECT_EQ(WithLines("content-encoding: br\r\n")->status(), 415);
  EXPECT_EQ(WithLines("Content-Encoding: identity, gzip\r\n")->status(), 415);
  EXPECT_EQ(WithLines("Content-Encoding: Identity\r\n")->status(), 200);
}

TEST(Head, AFieldOfOneValueIsRefusedTwice) {
  for (const char* name : {"Content-Type", "Authorization", "Idempotency-Key"}) {
    const std::string line = std::string(name) + ": a/b\r\n";
    EXPECT_EQ(WithLines(line).get()->status(), 200) << name;
    EXPECT_EQ(WithLines(line + line)->status(), 400) << name;
    EXPECT_EQ(WithLines(line + "X: y\r\n" + base::LowerAscii(line))->status(), 400) << name;
  }
  EXPECT_EQ(WithLines("X: 1\r\nX: 1\r\nAccept: a\r\nAccept: b\r\n")->status(), 200);
}

TEST(Head, ABadTargetIs400) {
  for (const char* target :
       {"/a%00", "/a%0", "/a%", "/a%zz", "/a#b", "a", "*", "http://", "?a=b", "/?a=%", "a.b:80"})
    EXPECT_EQ(ReadHead(std::string("GET ") + target + " HTTP/1.1\r\nHost: a\r\n\r\n")->status(),
              400)
        << target;
}

// ---- bodies with a length

TEST(LengthBody, EndsAfterItsBytesAndLeavesTheNextRequest) {
  const auto parsed = WithLines("Content-Length: 5\r\n");
  const Body body = ReadBody(*parsed, {"hel", "loGET / HTTP/1.1"});
  EXPECT_TRUE(body.done);
  EXPECT_EQ(body.text, "hello");
  EXPECT_EQ(body.left, "GET / HTTP/1.1");
}

TEST(LengthBody, OfZeroIsDoneAtOnce) {
  const auto parsed = WithLines("Content-Length: 0\r\n");
  EXPECT_FALSE(parsed->parser->has_body());
  EXPECT_TRUE(parsed->parser->body_done());
}

// ---- chunked bodies

const std::string kChunks =
    "5\r\nhello\r\n1;name=value;q=\"a b\"\r\n \r\n005\r\nworld\r\nA\r\n0123456789\r\n"
    "0;last\r\nTrailer-One: 1\r\nTrailer-Two: 2\r\n\r\n";
const std::string kDecoded = "hello world0123456789";

TEST(ChunkedBody, IsTheSameAtEverySplit) {
  const std::string text = kChunks + "GET /next HTTP/1.1\r\n";
  for (size_t split = 0; split <= text.size(); ++split) {
    const auto parsed = Chunked();
    const Body body = ReadBody(*parsed, {text.substr(0, split), text.substr(split)});
    ASSERT_FALSE(body.refusal) << split << ": " << body.refusal->detail;
    ASSERT_TRUE(body.done) << split;
    EXPECT_EQ(body.text, kDecoded) << split;
    EXPECT_EQ(body.left, "GET /next HTTP/1.1\r\n") << split;
  }
}

TEST(ChunkedBody, IsTheSameByteByByte) {
  const auto parsed = Chunked();
  const Body body = ReadBody(*parsed, Bytes(kChunks));
  ASSERT_FALSE(body.refusal) << body.refusal->detail;
  EXPECT_TRUE(body.done);
  EXPECT_EQ(body.text, kDecoded);
  EXPECT_EQ(body.left, "");
}

TEST(ChunkedBody, IsNotDoneBeforeItsLastByte) {
  for (size_t length = 0; length < kChunks.size(); ++length) {
    const auto parsed = Chunked();
    const Body body = ReadBody(*parsed, {kChunks.substr(0, length)});
    EXPECT_FALSE(body.refusal) << length;
    EXPECT_FALSE(body.done) << length;
  }
}

TEST(ChunkedBody, OfNothingIsEmpty) {
  const Body body = ReadChunks("0\r\n\r\nrest");
  EXPECT_TRUE(body.done);
  EXPECT_EQ(body.text, "");
  EXPECT_EQ(body.left, "rest");
}

TEST(ABody, StopsWhereTheSinkTakesNoMore) {
  for (const bool chunked : {true, false}) {
    const auto parsed = chunked ? Chunked() : WithLines("Content-Length: 3\r\n");
    const std::string text = chunked ? "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n" : "abc";
    std::string got;
    std::optional<Refusal> refusal;
    bool full = false;
    // One byte at a time.
    const auto sink = [&](std::string_view bytes) -> size_t {
      if (std::exchange(full, !full)) return 0;
      got += bytes.front();
      return 1;
    };
    size_t used = 0;
    for (const std::string expected : {"a", "ab", "abc"}) {
      EXPECT_FALSE(parsed->parser->body_done());
      full = false;
      used += parsed->parser->ReadBody(std::string_view(text).substr(used), sink, refusal);
      EXPECT_EQ(got, expected);
    }
    full = true;
    used += parsed->parser->ReadBody(std::string_view(text).substr(used), sink, refusal);
    EXPECT_TRUE(parsed->parser->body_done());
    EXPECT_EQ(used, text.size());
    EXPECT_FALSE(refusal);
  }
}

TEST(ChunkedBody, AnEndInAnyPiecesIsTaken) {
  for (const std::string& text : {std::string("0\r\n\r\n"), std::string("0\r\nT: 1\r\n\r\n"),
                                  std::string("0;a\r\n\r\n"), std::string("1\r\nx\r\n0\r\n\r\n")}) {
    for (size_t a = 0; a <= text.size(); ++a)
      for (size_t b = a; b <= text.size(); ++b) {
        const Body body =
            ReadBody(*Chunked(), {text.substr(0, a), text.substr(a, b - a), text.substr(b)});
        ASSERT_TRUE(body.done) << text << a << ' ' << b;
      }
    EXPECT_TRUE(ReadBody(*Chunked(), Bytes(text)).done) << text;
  }
}

TEST(ChunkedBody, ASmallChunkIsGivenOnWithoutWaitingForTheNext) {
  EXPECT_EQ(ReadBody(*Chunked(), {"2\r\nab\r\n", "1\r\nc\r\n"}).text, "abc");
}

TEST(ChunkedBody, AWrongSizeIs400) {
  for (const char* line : {"", " 5", "+5", "-5", "0x5", "x", "10000000000000000", "5,5", "5 5",
                           ";a", "fffffffffffffffff", "5g", "5:"}) {
    const Body body = ReadChunks(std::string(line) + "\r\nhello\r\n0\r\n\r\n");
    EXPECT_EQ(body.status(), 400) << line << ": \"" << body.text << '"';
  }
}

TEST(ChunkedBody, ErrorsAreReportedWithoutWaitingForMore) {
  // Nothing comes behind any of these.
  for (const char* text : {"5\n", "5;a\n", "5\r\nhello\n", "0\n", "0\r\nA: b\n", "0\r\n\n", "5\rx",
                           "8000000000000000", "fffffffffffffff0", "00000000000000001", "5 \r",
                           "5\r\nhellox", "0\r\n a", "0\r\n:", "0\r\na b"}) {
    EXPECT_EQ(ReadChunks(text).status(), 400) << text;
    EXPECT_EQ(ReadBody(*Chunked(), Bytes(text)).status(), 400) << text;
  }
}

TEST(ChunkedBody, BlanksBeforeAnExtensionAreLegal) {
  EXPECT_EQ(ReadChunks("5 \t;a=b\r\nhello\r\n0\r\n\r\n").text, "hello");
}

TEST(ChunkedBody, SaysHowMuchOfAChunkIsStillToCome) {
  const auto parsed = Chunked();
  ReadBody(*parsed, {"7fffff\r\nab"});
  EXPECT_EQ(parsed->parser->announced(), 0x7fffffU - 2);
}

TEST(ChunkedBody, AChunkThatIsLongerThanItsSizeIs400) {
  EXPECT_EQ(ReadChunks("5\r\nhelloX\r\n0\r\n\r\n").status(), 400);
  EXPECT_EQ(ReadChunks("4\r\nhello\r\n0\r\n\r\n").status(), 400);
}

TEST(ChunkedBody, ABareLfIsRefusedInEveryLine) {
  for (const char* text :
       {"5\nhello\r\n0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhello\r\n0\n\r\n",
        "5\r\nhello\r\n0\n\n", "5;a\nb\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n0;a\n\r\n\r\n",
        "5\r\nhello\r\n0\r\nA: b\n\r\n", "5\r\nhello\r\n0\r\nA: b\nC: d\r\n\r\n",
        "5\r\nhello\r\n0\r\n\n\r\n\r\n"}) {
    // More behind it, so that it can't pass for an unfinished line.
    for (const auto& pieces : {std::vector<std::string>{std::string(text) + "X: y\r\n\r\n"},
                               Bytes(std::string(text) + "X: y\r\n\r\n")}) {
      const Body body = ReadBody(*Chunked(), pieces);
      EXPECT_EQ(body.status(), 400) << text;
      EXPECT_FALSE(body.done) << text;
    }
  }
}

TEST(ChunkedBody, AControlByteInAnExtensionIs400) {
  for (const char* extension : {";a\x01", ";a=\"\x7f\"", ";a=\"b\rc\"", ";\x02"}) {
    EXPECT_EQ(ReadChunks(std::string("5") + extension + "\r\nhello\r\n0\r\n\r\n").status(), 400)
        << extension;
    EXPECT_EQ(ReadChunks(std::string("5\r\nhello\r\n0") + extension + "\r\n\r\n").status(), 400)
        << extension;
  }
}

TEST(ChunkedBody, ExtensionsOfAllChunksShareOneBudget) {
  std::string text;
  for (int i = 0; i < 10; ++i) text += "1;a=" + std::string(40, 'b') + "\r\nx\r\n";
  for (const auto& pieces : {std::vector<std::string>{text}, Bytes(text)}) {
    const Body body = ReadBody(*Chunked(), pieces);
    ASSERT_EQ(body.status(), 431);
    EXPECT_EQ(body.refusal->limit, "maxTrailer");
    EXPECT_LT(body.text.size(), 10U);
  }
}

TEST(ChunkedBody, TrailersOverTheBudgetAre431) {
  std::string text = "0\r\n";
  for (int i = 0; i < 10; ++i)
    text += "T" + std::to_string(i) + ": " + std::string(40, 'b') + "\r\n";
  for (const auto& pieces : {std::vector<std::string>{text + "\r\n"}, Bytes(text + "\r\n")})
    EXPECT_EQ(ReadBody(*Chunked(), pieces).status(), 431);
}

TEST(ChunkedBody, AnEndlessLineOrTrailerIs431BeforeItEnds) {
  for (const std::string& start : {std::string("5;a="), std::string("0;a="),
                                   std::string("0\r\nT: "), std::string("0\r\nT: 1\r\nU: ")}) {
    const auto parsed = Chunked();
    Body body;
    body.left = start;
    const auto sink = [](std::string_view bytes) { return bytes.size(); };
    size_t fed = 0;
    while (!body.refusal && fed < 4 * kMaxTrailer) {
      body.left += std::string(64, 'x');
      fed += 64;
      body.left.erase(0, parsed->parser->ReadBody(body.left, sink, body.refusal));
    }
    EXPECT_EQ(body.status(), 431) << start;
  }
}

TEST(ChunkedBody, ATrailerOf70KilobytesIsRefusedAndThrowsNothing) {
  const std::string text = "0\r\nT: " + std::string(70'000, 'x') + "\r\n\r\n";
  EXPECT_EQ(ReadChunks(text).status(), 431);
}

TEST(ChunkedBody, AMalformedTrailerIs400) {
  for (const char* trailer : {"NoColon", "A : b", "A: b\x01", ": b", "A: b\r\n c"})
    EXPECT_EQ(ReadChunks(std::string("0\r\n") + trailer + "\r\n\r\n").status(), 400) << trailer;
}

TEST(ChunkedBody, TrailersNeverBecomeFieldsOfTheHead) {
  const auto parsed = Chunked();
  const size_t before = parsed->head.fields.size();
  const Body body = ReadBody(*parsed, {"0\r\nContent-Length: 5\r\nHost: b\r\nce-id: 1\r\n\r\n"});
  EXPECT_EQ(parsed->head.fields.size(), before);
  EXPECT_EQ(parsed->head.Find("ce-id"), "");
  EXPECT_EQ(parsed->head.Find("host"), "a");
  EXPECT_FALSE(parsed->head.content_length);
  EXPECT_EQ(body.text, "");
}

}  // namespace
}  // namespace outrigger::http
