#include "outbound/sidecar_client.h"

#include <cpprest/http_client.h>
#include <pplx/threadpool.h>

#include <mutex>

namespace outrigger::outbound {

namespace web_client = web::http::client;

namespace {

base::Result<Answer> Send(const SidecarAddress& sidecar, web::http::http_request request,
                          const std::string& path, const Query& query) {
  // cpprestsdk starts 40 threads with its first request by default.
  static std::once_flag threads;
  std::call_once(threads, [] { crossplat::threadpool::initialize_with_threads(2); });
  try {
    web::uri_builder target;
    target.set_path(path, true);
    for (const auto& [name, value] : query)
      target.append_query(name + "=" + web::uri::encode_data_string(value), false);
    web_client::http_client_config config;
    config.set_timeout(std::chrono::seconds(30));
    web_client::http_client client(web::uri(sidecar.url), config);
    request.set_request_uri(target.to_uri());
    if (!sidecar.token.empty()) request.headers().add("Authorization", "Bearer " + sidecar.token);
    const web::http::http_response response = client.request(request).get();
    return Answer{response.status_code(), response.extract_string(true).get()};
  } catch (const std::exception& error) {
    return base::Fail({base::Code::kUnavailable,
                       "no answer from " + sidecar.url + ": " + error.what(),
                       "is `outrigger run` running there? Set --url or OUTRIGGER_URL (Unix sockets "
                       "are not supported)",
                       true});
  }
}

}  // namespace

base::Result<Answer> Get(const SidecarAddress& sidecar, const std::string& path,
                         const Query& query) {
  return Send(sidecar, web::http::http_request(web::http::methods::GET), path, query);
}

base::Result<Answer> Post(const SidecarAddress& sidecar, const std::string& path,
                          const Query& query, const std::string& content_type,
                          const std::string& body) {
  web::http::http_request request(web::http::methods::POST);
  request.set_body(body, content_type);
  return Send(sidecar, request, path, query);
}

}  // namespace outrigger::outbound
