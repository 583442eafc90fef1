"""aiosmtpd for tests: mail.py CERT KEY starttls|implicit|plain. Says its port, then each mail as a line of JSON; ends
with its standard input."""

import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

cert, key, mode = sys.argv[1:]


class Keep:
    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        parts = [mail, *mail.walk()]
        body = {kind: mail.get_body((kind,)) for kind in ("plain", "html")}
        told = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "tls": session.ssl is not None or mode == "implicit",
            "user": session.auth_data and session.auth_data.login.decode(),
            "subject": mail["subject"],
            "defects": [str(defect) for part in parts for defect in part.defects],
            **{kind: part and part.get_content().replace("\r\n", "\n") for kind, part in body.items()},
        }
        print(json.dumps(told), flush=True)
        return "250 kept"


def authenticate(server, session, envelope, mechanism, auth_data):
    good = isinstance(auth_data, LoginPassword) and auth_data == LoginPassword(b"u", b"right")
    return AuthResult(success=good, handled=False, auth_data=auth_data)


async def main():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    options = {"hostname": "mail.example"}
    if mode != "plain":
        options.update(authenticator=authenticate, auth_required=True)
    if mode == "starttls":
        options.update(tls_context=context, require_starttls=True)
    if mode == "implicit":
        options.update(auth_require_tls=False)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(Keep(), **options), "127.0.0.1", 0, ssl=context if mode == "implicit" else None
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
