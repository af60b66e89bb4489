# Every third party, found once, each with the one room that may use it (src/README.md).
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(OpenSSL REQUIRED)

# Headers only; the include directory is the compiler's own, so nothing more is needed than its presence.
find_package(Boost 1.74 REQUIRED)                    # base (Asio), http (Beast)
add_library(third_boost INTERFACE)
target_link_libraries(third_boost INTERFACE Threads::Threads)
target_compile_definitions(third_boost INTERFACE BOOST_BEAST_USE_STD_STRING_VIEW
                           BOOST_ASIO_DISABLE_VISIBILITY BOOST_ERROR_CODE_HEADER_ONLY)

find_package(tl-expected REQUIRED)                   # base
find_package(yaml-cpp REQUIRED)                      # config
find_package(nlohmann_json REQUIRED)                 # config, cli, outbound: where speed does not matter
find_package(prometheus-cpp REQUIRED COMPONENTS core)  # telemetry
find_package(spdlog REQUIRED)                        # telemetry
pkg_check_modules(simdjson REQUIRED IMPORTED_TARGET simdjson)  # event
find_package(CLI11 REQUIRED)                         # cli
find_package(cpprestsdk REQUIRED)                    # outbound
pkg_check_modules(re2 REQUIRED IMPORTED_TARGET re2)  # event

# librdkafka: static, from the cache folder (./dev builds it there), or the system's when that is new enough.
set(OUTRIGGER_RDKAFKA "" CACHE PATH "Prefix of a static librdkafka; empty: the system's")
add_library(third_rdkafka INTERFACE)                 # kafka
if(OUTRIGGER_RDKAFKA)
  target_include_directories(third_rdkafka SYSTEM INTERFACE "${OUTRIGGER_RDKAFKA}/include")
  target_compile_definitions(third_rdkafka INTERFACE LIBRDKAFKA_STATICLIB)
  pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
  pkg_check_modules(zlib REQUIRED IMPORTED_TARGET zlib)
  target_link_libraries(third_rdkafka INTERFACE "${OUTRIGGER_RDKAFKA}/lib/librdkafka.a" OpenSSL::SSL
                        OpenSSL::Crypto PkgConfig::zstd PkgConfig::zlib Threads::Threads m rt dl)
else()
  pkg_check_modules(rdkafka REQUIRED IMPORTED_TARGET "rdkafka>=2.15.1")
  target_link_libraries(third_rdkafka INTERFACE PkgConfig::rdkafka)
endif()
