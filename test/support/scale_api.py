#!/usr/bin/env python3
"""Answers as Kubernetes does for the scale of one StatefulSet, over TLS, for tests.

    scale_api.py DIRECTORY NAMESPACE NAME [HOST PORT]

Makes a certificate and a pod's account in DIRECTORY, says "listens on PORT" and answers until it is
ended. The file DIRECTORY/replicas holds the number; a word there is answered as it stands.
"""
import http.server
import json
import pathlib
import ssl
import subprocess
import sys

TOKEN = "the-token"


def make_account(directory, namespace):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1,"
         "DNS:kubernetes.default.svc",
         "-keyout", directory / "key.pem", "-out", directory / "ca.crt"],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (directory / "namespace").write_text(namespace)
    (directory / "token").write_text(TOKEN)


def answer(directory, path, wanted_path, authorization):
    """The status and the JSON of one request."""
    if authorization != f"Bearer {TOKEN}":
        return 401, {"kind": "Status", "status": "Failure", "reason": "Unauthorized"}
    if path != wanted_path:
        return 404, {"kind": "Status", "status": "Failure", "reason": "NotFound"}
    text = (directory / "replicas").read_text().strip()
    if text == "forbidden":
        return 403, {"kind": "Status", "status": "Failure", "reason": "Forbidden"}
    spec = {"replicas": int(text) if text.isdigit() else text}
    return 200, {"kind": "Scale", "apiVersion": "autoscaling/v1",
                 "spec": {} if text == "0" else spec, "status": {"replicas": 7}}


def main(arguments):
    directory, namespace, name = pathlib.Path(arguments[0]), arguments[1], arguments[2]
    make_account(directory, namespace)
    wanted_path = f"/apis/apps/v1/namespaces/{namespace}/statefulsets/{name}/scale"

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            status, body = answer(directory, self.path, wanted_path,
                                  self.headers.get("Authorization"))
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    host, port = arguments[3:5] if len(arguments) > 3 else ("127.0.0.1", "0")
    server = http.server.ThreadingHTTPServer((host, int(port)), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "ca.crt", directory / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    print(f"listens on {server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
