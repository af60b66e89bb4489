"""Reads a PDF as a reader does: from its end to the table, from the table to the objects; what does not fit raises."""
import re


def pdf_text(data):
    """The shown strings, page by page."""
    if not data.startswith(b"%PDF-1.") or not data.rstrip().endswith(b"%%EOF"):
        raise ValueError("no PDF")
    table = int(re.search(rb"startxref\s+(\d+)\s+%%EOF\s*$", data).group(1))
    head = re.match(rb"xref\n0 (\d+)\n", data[table:])
    entries = data[table + head.end():]
    objects = {}
    for number in range(1, int(head.group(1))):
        entry = entries[20 * number:20 * number + 20]
        offset = int(re.fullmatch(rb"(\d{10}) 00000 n \n", entry).group(1))
        objects[number] = re.match(rb"%d 0 obj\n(.*?)\nendobj\n" % number, data[offset:], re.S).group(1)
    trailer = data[table:].partition(b"trailer")[2]
    root = objects[int(re.search(rb"/Root (\d+) 0 R", trailer).group(1))]
    pages = objects[int(re.search(rb"/Pages (\d+) 0 R", root).group(1))]
    kids = [int(kid) for kid in re.findall(rb"(\d+) 0 R", re.search(rb"/Kids \[(.*?)\]", pages).group(1))]
    if len(kids) != int(re.search(rb"/Count (\d+)", pages).group(1)):
        raise ValueError("the count of pages is wrong")
    return [page_text(objects, objects[kid]) for kid in kids]


def page_text(objects, page):
    content = objects[int(re.search(rb"/Contents (\d+) 0 R", page).group(1))]
    length, stream = re.fullmatch(rb"<< /Length (\d+) >>\nstream\n(.*)\nendstream", content, re.S).groups()
    if int(length) != len(stream):
        raise ValueError("the length of a stream is wrong")
    fonts = set(re.findall(rb"/(\w+) [\d.]+ Tf", stream))
    if not all(re.search(rb"/%s (\d+) 0 R" % font, page) for font in fonts):
        raise ValueError("a page shows text in a font it does not have")
    strings = re.findall(rb"\(((?:[^()\\]|\\.)*)\) Tj", stream)
    return [re.sub(rb"\\(.)", rb"\1", text).decode("cp1252") for text in strings]
