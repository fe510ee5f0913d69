#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Calls of remote procedures: what the caller asked and was told is in the bytes of both ends."""
from expectations import expect, expect_equal
from findings import faults
from harness import main, record, scenario
from traces import blob

XML_RPC = """
import os, socket, xmlrpc.client, xmlrpc.server
server = xmlrpc.server.SimpleXMLRPCServer(('127.0.0.1', 0), logRequests=False)
server.register_function(lambda a, b: a * b, 'product')
child = os.fork()
if child == 0:
    server.handle_request()
    os._exit(0)
port = server.server_address[1]
server.server_close()
print(child, xmlrpc.client.ServerProxy(f'http://127.0.0.1:{port}').product(123457, 3))
os.waitpid(child, 0)
"""

# The server has no threads of its own when it is forked: each process imports grpc for itself.
G_RPC = """
import os, sys
asked, told = os.pipe(), os.pipe()
child = os.fork()
import grpc
def upper(request, context):
    return request.upper()
if child == 0:
    from concurrent import futures
    server = grpc.server(futures.ThreadPoolExecutor(1))
    handler = grpc.unary_unary_rpc_method_handler(upper)
    handlers = grpc.method_handlers_generic_handler('lab.Upper', {'Upper': handler})
    server.add_generic_rpc_handlers((handlers,))
    os.write(told[1], b'%d' % server.add_insecure_port('127.0.0.1:0'))
    server.start()
    os.read(asked[0], 1)
    server.stop(0).wait()
    os._exit(0)
with grpc.insecure_channel(f'127.0.0.1:{int(os.read(told[0], 8))}') as channel:
    print(child, channel.unary_unary('/lab.Upper/Upper')(b'a question of grpc').decode())
os.write(asked[1], b'.')
os.waitpid(child, 0)
"""


def talk(directory, program):
    """What the program printed; the bytes to its child and from it; its messages over TCP."""
    result = record(directory, ["/usr/bin/python3", "-c", program], "--payload", "1024")
    child, answer = result.stdout.decode().split(" ", 1)
    messages = result.messages().delivered("tcp")
    expect_equal({m["match"] for m in messages}, {"exact"}, "no doubt")
    there, back = b"", b""
    for message in messages:
        received = message["received"]  # a send of many parts keeps only the first ones' bytes
        payload = blob(result.trace.operation(received["op"])["payload"])
        payload = payload[received["offset"] :][: message["bytes"]]
        expect_equal(len({message["from"]["pid"], message["to"]["pid"]}), 2, "two processes")
        if message["to"]["pid"] == int(child):
            there += payload
        else:
            back += payload
    expect_equal(faults(result.trace_path), [], "nothing is wrong")
    return answer.strip(), there, back


def check_call(directory, program, asked, answer, told):
    """`asked` goes there in these words, `told` comes back, of which the program makes `answer`."""
    found, there, back = talk(directory, program)
    for words in asked:
        expect(words in there, "what it is asked", there)
    expect_equal(found, answer, "what the program was told")
    expect(told in back, "is in what came back", back)


@scenario("XML-RPC: a call with its numbers, and the answer")
def xml_rpc(directory):
    asked = (b"<methodName>product</methodName>", b"<int>123457</int>")
    check_call(directory, XML_RPC, asked, "370371", b"<int>370371</int>")


@scenario("gRPC: a call over HTTP/2, and the answer")
def g_rpc(directory):
    asked = (b"PRI * HTTP/2.0", b"a question of grpc")
    check_call(directory, G_RPC, asked, "A QUESTION OF GRPC", b"A QUESTION OF GRPC")


main()
