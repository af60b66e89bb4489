# third(NAME HEADERS regex… TARGETS target…): a third party, as third_NAME, and by what names its headers are included.
#
# room(NAME PUBLIC library… PRIVATE library…): one static library for each room of src/. The two lists are the include
# rule: a library is another room or a third_NAME, PUBLIC where a header of the room includes it, else PRIVATE. A room's
# headers are reached as "room/file.h" through a folder that holds that room alone, so an include of a room that is in
# neither list, nor PUBLIC in one that is, does not compile.
#
# Both lists are written to include_rule.json in the build folder, for tests/unit/include_rule.py.
set_property(GLOBAL PROPERTY OUTRIGGER_THIRDS "")
set_property(GLOBAL PROPERTY OUTRIGGER_ROOMS "")

function(json_list out)
  list(TRANSFORM ARGN REPLACE "(.+)" "\"\\1\"")
  list(JOIN ARGN ", " text)
  set(${out} "[${text}]" PARENT_SCOPE)
endfunction()

function(third name)
  cmake_parse_arguments(THIRD "" "" "HEADERS;TARGETS" ${ARGN})
  add_library(third_${name} INTERFACE)
  target_link_libraries(third_${name} INTERFACE ${THIRD_TARGETS})
  json_list(headers ${THIRD_HEADERS})
  set_property(GLOBAL APPEND PROPERTY OUTRIGGER_THIRDS "\"third_${name}\": ${headers}")
endfunction()

function(room name)
  cmake_parse_arguments(ROOM "" "" "PUBLIC;PRIVATE" ${ARGN})
  set(door "${CMAKE_BINARY_DIR}/include/${name}")
  file(MAKE_DIRECTORY "${door}")
  file(CREATE_LINK "${CMAKE_SOURCE_DIR}/src/${name}" "${door}/${name}" SYMBOLIC)
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/${name}/*.cc")
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  add_library(room_${name} STATIC ${sources})
  target_include_directories(room_${name} PUBLIC "${door}")
  foreach(scope PUBLIC PRIVATE)
    json_list(${scope} ${ROOM_${scope}})
    list(TRANSFORM ROOM_${scope} PREPEND room_ REGEX "^[^_]+$")
    target_link_libraries(room_${name} ${scope} ${ROOM_${scope}})
  endforeach()
  # What a room may use, its unit tests may use too.
  set_property(GLOBAL PROPERTY OUTRIGGER_ROOM_${name} ${ROOM_PUBLIC} ${ROOM_PRIVATE})
  set_property(GLOBAL APPEND PROPERTY OUTRIGGER_ROOMS "\"${name}\": {\"public\": ${PUBLIC}, \"private\": ${PRIVATE}}")
endfunction()

function(write_include_rule)
  get_property(thirds GLOBAL PROPERTY OUTRIGGER_THIRDS)
  get_property(rooms GLOBAL PROPERTY OUTRIGGER_ROOMS)
  list(JOIN thirds ",\n  " thirds)
  list(JOIN rooms ",\n  " rooms)
  file(WRITE "${CMAKE_BINARY_DIR}/include_rule.json"
       "{\"thirds\": {\n  ${thirds}},\n\"rooms\": {\n  ${rooms}}}\n")
endfunction()
