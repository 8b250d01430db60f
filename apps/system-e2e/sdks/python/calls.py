"""Mailgun's client for Python, unmodified, against Lethe. One line a call in the form of the Test Anything Protocol.

MG_URL, MG_API_KEY: the gateway and the account's key; MG_DOMAIN: a domain that sends.
"""

import json
import os
import sys
import time
import warnings

import requests
from mailgun.client import Client

warnings.simplefilter("ignore")

KEY = os.environ["MG_API_KEY"]
DOMAIN = os.environ["MG_DOMAIN"]
OTHER = "python.example.com"
client = Client(auth=("api", KEY), api_url=os.environ["MG_URL"])
failed = False


def step(name):
    """Runs a call at once, says whether it did what it promises, and goes on."""

    def run(call):
        global failed
        try:
            call()
            print(f"ok - {name}", flush=True)
        except Exception as error:  # whatever the client raises
            failed = True
            print(f"not ok - {name} # {type(error).__name__}: {error}".replace("\n", " "), flush=True)

    return run


def answer(response, status=200):
    """The JSON of an answer; the client raises nothing by itself."""
    body = response.json()
    assert response.status_code == status, f"{response.status_code} {body}"
    return body


def same(what, got, want):
    assert got == want, f"{what}: got {got!r}, want {want!r}"


def waited(ask, seconds=30):
    """What it answers once it answers anything."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := ask():
            return found
        time.sleep(0.2)
    raise AssertionError(f"nothing within {seconds} s")


@step("ping and the list of domains")
def _():
    assert DOMAIN in [one["name"] for one in answer(client.domainlist.get())["items"]]


@step("a domain is created, changed, verified")
def _():
    made = answer(client.domains.create(data={"name": OTHER}))
    same("name", made["domain"]["name"], OTHER)
    assert made["sending_dns_records"]
    same("name", answer(client.domains.get(domain=OTHER))["domain"]["name"], OTHER)
    answer(client.domains.put(domain=OTHER, data={"spam_action": "disabled"}))
    same("name", answer(client.domains.put(domain=OTHER, verify=True))["domain"]["name"], OTHER)


@step("connection and tracking")
def _():
    answer(client.domains_connection.put(domain=OTHER, data={"require_tls": "true", "skip_verification": "false"}))
    same("require_tls", answer(client.domains_connection.get(domain=OTHER))["connection"]["require_tls"], True)
    answer(client.domains_tracking_open.put(domain=OTHER, data={"active": "yes"}))
    answer(client.domains_tracking_click.put(domain=OTHER, data={"active": "htmlonly"}))
    footer = {"active": "yes", "html_footer": "<p>bye</p>", "text_footer": "bye"}
    answer(client.domains_tracking_unsubscribe.put(domain=OTHER, data=footer))
    tracking = answer(client.domains_tracking.get(domain=OTHER))["tracking"]
    same("active", [tracking[kind]["active"] for kind in ("open", "click", "unsubscribe")], [True, True, True])


@step("credentials")
def _():
    answer(client.domains_credentials.create(domain=OTHER, data={"login": f"shop@{OTHER}", "password": "a-long-password"}))
    same("logins", [one["login"] for one in answer(client.domains_credentials.get(domain=OTHER))["items"]], [f"shop@{OTHER}"])
    answer(client.domains_credentials.put(domain=OTHER, login=f"shop@{OTHER}", data={"password": "another-password"}))
    answer(client.domains_credentials.delete(domain=OTHER, login=f"shop@{OTHER}"))


@step("DKIM keys")
def _():
    made = answer(client.dkim_keys.create(data={"signing_domain": OTHER, "selector": "second", "bits": "2048"}))
    same("selector", made["selector"], "second")
    items = answer(client.dkim_keys.get(filters={"signing_domain": OTHER, "page": "", "limit": "10"}))["items"]
    assert "second" in [one["selector"] for one in items]
    answer(client.dkim_keys.delete(filters={"signing_domain": OTHER, "selector": "second"}))


@step("a domain is deleted")
def _():
    answer(client.domains.delete(domain=OTHER))
    answer(client.domains.get(domain=OTHER), 404)


@step("API keys")
def _():
    made = answer(client.keys.create(data={"role": "sending", "kind": "domain", "domain_name": DOMAIN, "description": "py"}))["key"]
    assert made["secret"]
    same("ids", [one["id"] for one in answer(client.keys.get(filters={"domain_name": DOMAIN}))["items"]], [made["id"]])
    answer(client.keys.delete(key_id=made["id"]))


sent = {}


@step("messages.create with files")
def _():
    body = answer(
        client.messages.create(
            domain=DOMAIN,
            data={
                "from": f"Ann <ann@{DOMAIN}>",
                "to": ["ok+py-bob@world.example", "ok+py-carol@world.example"],
                "subject": "Hello %recipient.name%",
                "text": "Dear %recipient.name%",
                "o:tag": ["py", "sdk"],
                "o:tracking": False,
                "recipient-variables": json.dumps(
                    {"ok+py-bob@world.example": {"name": "Bob"}, "ok+py-carol@world.example": {"name": "Carol"}}
                ),
            },
            files=[("attachment", ("a.txt", b"attached")), ("inline", ("dot.png", b"not a picture"))],
        )
    )
    same("message", body["message"], "Queued. Thank you.")
    sent["id"] = body["id"].strip("<>")
    same("brackets", body["id"], f"<{sent['id']}>")


@step("messages.create without files")
def _():
    data = {"from": f"ann@{DOMAIN}", "to": "ok+py-form@world.example", "subject": "Form", "html": "<p>Form</p>"}
    same("message", answer(client.messages.create(domain=DOMAIN, data=data))["message"], "Queued. Thank you.")


@step("mimemessage.create")
def _():
    mime = f"From: ann@{DOMAIN}\r\nTo: ok+py-mime@world.example\r\nSubject: MIME\r\n\r\nAs it is.\r\n".encode()
    made = client.mimemessage.create(domain=DOMAIN, data={"to": "ok+py-mime@world.example"}, files={"message": mime})
    same("message", answer(made)["message"], "Queued. Thank you.")


@step("what is wrong is 400 and says so")
def _():
    wrong = client.messages.create(domain=DOMAIN, data={"from": f"ann@{DOMAIN}", "to": "nobody", "subject": "x", "text": "x"})
    assert "'to'" in answer(wrong, 400)["message"]


@step("events, page by page to an empty one")
def _():
    filters = {"message-id": sent["id"], "event": "delivered", "ascending": "yes", "limit": 1}
    items = waited(lambda: answer(client.events.get(domain=DOMAIN, filters=filters))["items"])
    same("id", items[0]["message"]["headers"]["message-id"], sent["id"])
    same("tags", sorted(items[0]["tags"]), ["py", "sdk"])
    sent["storage"] = items[0]["storage"]
    page = answer(client.events.get(domain=DOMAIN, filters={"message-id": sent["id"], "limit": 1, "ascending": "yes"}))
    seen = 0
    while page["items"]:
        seen += len(page["items"])
        page = answer(requests.get(page["paging"]["next"], auth=("api", KEY), timeout=30))
    assert seen >= 3, seen


@step("a stored message by its URL")
def _():
    stored = answer(requests.get(sent["storage"]["url"], auth=("api", KEY), timeout=30))
    same("attachments", sorted(one["name"] for one in stored["attachments"]), ["a.txt", "dot.png"])


@step("resend_message.create")
def _():
    again = client.resend_message.create(domain=DOMAIN, data={"to": ["ok+py-again@world.example"]}, storage_url=sent["storage"]["url"])
    same("message", answer(again)["message"], "Queued. Thank you.")


@step("bounces")
def _():
    answer(client.bounces.create(domain=DOMAIN, data={"address": "a+b@world.example", "code": 550, "error": "gone"}))
    same("code", answer(client.bounces.get(domain=DOMAIN, bounce_address="a+b@world.example"))["code"], "550")
    same("listed", len(answer(client.bounces.get(domain=DOMAIN))["items"]), 1)
    answer(client.bounces.delete(domain=DOMAIN, bounce_address="a+b@world.example"))
    answer(client.bounces.get(domain=DOMAIN, bounce_address="a+b@world.example"), 404)


@step("templates")
def _():
    new = {"name": "py-welcome", "description": "py", "template": "Hello {{name}}", "tag": "one", "engine": "handlebars"}
    answer(client.templates.create(domain=DOMAIN, data=new))
    got = answer(client.templates.get(domain=DOMAIN, template_name="py-welcome", filters={"active": "yes"}))
    same("active", got["template"]["version"]["template"], "Hello {{name}}")
    second = {"tag": "two", "template": "Bye {{name}}", "engine": "handlebars", "active": "yes"}
    answer(client.templates.create(domain=DOMAIN, template_name="py-welcome", versions=True, data=second))
    versions = answer(client.templates.get(domain=DOMAIN, template_name="py-welcome", versions=True))["template"]["versions"]
    same("active", {one["tag"]: one["active"] for one in versions}, {"one": False, "two": True})
    data = {
        "from": f"ann@{DOMAIN}",
        "to": "ok+py-template@world.example",
        "subject": "A template",
        "template": "py-welcome",
        "t:variables": json.dumps({"name": "Bob"}),
    }
    same("message", answer(client.messages.create(domain=DOMAIN, data=data))["message"], "Queued. Thank you.")
    answer(client.templates.put(domain=DOMAIN, template_name="py-welcome", data={"description": "changed"}))
    answer(client.templates.put(domain=DOMAIN, template_name="py-welcome", versions=True, tag="one", data={"active": "yes"}))
    answer(client.templates.put(domain=DOMAIN, template_name="py-welcome", versions=True, tag="one", copy=True, new_tag="three"))
    answer(client.templates.delete(domain=DOMAIN, template_name="py-welcome", versions=True, tag="two"))
    answer(client.templates.delete(domain=DOMAIN, template_name="py-welcome"))
    answer(client.templates.get(domain=DOMAIN, template_name="py-welcome"), 404)


@step("mailing lists")
def _():
    address, bob = f"py@{DOMAIN}", "ok+pylist@world.example"
    same("list", answer(client.lists.create(data={"address": address, "description": "py"}))["list"]["address"], address)
    member = {"address": bob, "name": "Bob", "subscribed": True, "vars": json.dumps({"city": "Bern"})}
    same("member", answer(client.lists_members.create(address=address, data=member))["member"]["address"], bob)
    many = {"members": json.dumps([{"address": "ok+pylist2@world.example"}, "ok+pylist3@world.example"]), "upsert": True}
    answer(client.lists_members.create(address=address, data=many, multiple=True))
    got = answer(client.lists_members.get(address=address, member_address=bob))["member"]
    same("vars", got["vars"], {"city": "Bern"})
    answer(client.lists_members.put(address=address, member_address=bob, data={"subscribed": False}))
    pages = answer(client.lists_members_pages.get(address=address, filters={"subscribed": "no"}))
    same("unsubscribed", [one["address"] for one in pages["items"]], [bob])
    assert address in [one["address"] for one in answer(client.lists_pages.get())["items"]]
    same("members", answer(client.lists.get(address=address))["list"]["members_count"], 3)
    answer(client.lists.put(address=address, data={"description": "changed"}))
    answer(client.lists_members.delete(address=address, member_address=bob))
    answer(client.lists.delete(address=address))


sys.exit(1 if failed else 0)
