// Mailgun's client for Go, unmodified, against Lethe. One line a call in the form of the Test Anything Protocol.
//
// MG_URL and MG_API_KEY are the client's own variables; MG_DOMAIN is a domain that sends.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/mailgun/mailgun-go/v5"
	"github.com/mailgun/mailgun-go/v5/events"
	"github.com/mailgun/mailgun-go/v5/mtypes"
)

var (
	mg     *mailgun.Client
	domain = os.Getenv("MG_DOMAIN")
	failed bool
)

// step says whether a call did what it promises, and goes on.
func step(name string, call func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := call(ctx); err != nil {
		failed = true
		fmt.Printf("not ok - %s # %s\n", name, strings.ReplaceAll(err.Error(), "\n", " "))
		return
	}
	fmt.Printf("ok - %s\n", name)
}

// expect is an error that says what was had instead.
func expect(what string, got, want any) error {
	if got != want {
		return fmt.Errorf("%s: got %v, want %v", what, got, want)
	}
	return nil
}

func main() {
	var err error
	if mg, err = mailgun.NewMailgunFromEnv(); err != nil {
		fmt.Println("Bail out!", err)
		os.Exit(2)
	}
	domains()
	keys()
	messages()
	bounces()
	templates()
	lists()
	if failed {
		os.Exit(1)
	}
}

func domains() {
	const name = "go.example.com"
	step("CreateDomain", func(ctx context.Context) error {
		made, err := mg.CreateDomain(ctx, name, &mailgun.CreateDomainOptions{DKIMKeySize: 2048, WebScheme: "https"})
		return errors.Join(err, expect("name", made.Domain.Name, name), expect("records", len(made.SendingDNSRecords) > 0, true))
	})
	step("ListDomains, to an empty page", func(ctx context.Context) error {
		it := mg.ListDomains(&mailgun.ListDomainsOptions{Limit: 1})
		var page []mtypes.Domain
		names := map[string]bool{}
		for it.Next(ctx, &page) {
			for _, one := range page {
				names[one.Name] = true
			}
		}
		return errors.Join(it.Err(), expect("found", names[name] && names[domain], true))
	})
	step("GetDomain", func(ctx context.Context) error {
		yes := true
		got, err := mg.GetDomain(ctx, name, &mailgun.GetDomainOptions{Extended: &yes, WithDNS: &yes})
		return errors.Join(err, expect("name", got.Domain.Name, name), expect("created", time.Time(got.Domain.CreatedAt).IsZero(), false))
	})
	step("UpdateDomain", func(ctx context.Context) error {
		yes := true
		if err := mg.UpdateDomain(ctx, name, &mailgun.UpdateDomainOptions{RequireTLS: &yes}); err != nil {
			return err
		}
		got, err := mg.GetDomain(ctx, name, nil)
		return errors.Join(err, expect("require_tls", got.Domain.RequireTLS, true))
	})
	step("VerifyDomain", func(ctx context.Context) error {
		got, err := mg.VerifyDomain(ctx, name)
		return errors.Join(err, expect("name", got.Domain.Name, name))
	})
	step("tracking", func(ctx context.Context) error {
		err := errors.Join(mg.UpdateClickTracking(ctx, name, "htmlonly"), mg.UpdateOpenTracking(ctx, name, "yes"),
			mg.UpdateUnsubscribeTracking(ctx, name, "yes", "<a>bye</a>", "bye"))
		if err != nil {
			return err
		}
		got, err := mg.GetDomainTracking(ctx, name)
		return errors.Join(err, expect("click", got.Click.Active, true), expect("open", got.Open.Active, true),
			expect("footer", got.Unsubscribe.TextFooter, "bye"))
	})
	step("credentials", func(ctx context.Context) error {
		login := "shop@" + name
		if err := mg.CreateCredential(ctx, name, login, "a-long-password"); err != nil {
			return err
		}
		it := mg.ListCredentials(name, nil)
		var page []mtypes.Credential
		it.Next(ctx, &page)
		if err := errors.Join(it.Err(), expect("count", len(page), 1)); err != nil {
			return err
		}
		return errors.Join(expect("login", page[0].Login, login), mg.ChangeCredentialPassword(ctx, name, "shop", "another-password"),
			mg.DeleteCredential(ctx, name, login))
	})
	step("DKIM keys", func(ctx context.Context) error {
		made, err := mg.CreateDomainKey(ctx, name, "second", &mailgun.CreateDomainKeyOptions{Bits: 2048})
		if err := errors.Join(err, expect("selector", made.Selector, "second")); err != nil {
			return err
		}
		it := mg.ListAllDomainsKeys(nil)
		var page []mtypes.DomainKey
		found := false
		for it.Next(ctx, &page) {
			for _, one := range page {
				found = found || one.Selector == "second" && one.SigningDomain == name
			}
		}
		// Its answer is always false on the first page.
		own := mg.ListDomainKeys(name)
		own.Next(ctx, &page)
		return errors.Join(it.Err(), own.Err(), expect("listed", found, true), expect("of the domain", len(page), 2),
			mg.DeleteDomainKey(ctx, name, "second"))
	})
	step("DeleteDomain", func(ctx context.Context) error {
		if err := mg.DeleteDomain(ctx, name); err != nil {
			return err
		}
		_, err := mg.GetDomain(ctx, name, nil)
		return expect("status", mailgun.GetStatusFromErr(err), http.StatusNotFound)
	})
	step("ListIPs", func(ctx context.Context) error {
		_, err := mg.ListIPs(ctx, false, false)
		return err
	})
}

func keys() {
	step("API keys", func(ctx context.Context) error {
		made, err := mg.CreateAPIKey(ctx, "sending", &mailgun.CreateAPIKeyOptions{DomainName: domain, Kind: "domain", Description: "go"})
		if err := errors.Join(err, expect("secret", made.Secret == "", false)); err != nil {
			return err
		}
		listed, err := mg.ListAPIKeys(ctx, &mailgun.ListAPIKeysOptions{DomainName: domain})
		if err := errors.Join(err, expect("listed", len(listed), 1)); err != nil {
			return err
		}
		return errors.Join(expect("id", listed[0].ID, made.ID), mg.DeleteAPIKey(ctx, made.ID))
	})
	step("a wrong key is 401", func(ctx context.Context) error {
		stranger := mailgun.NewMailgun("wrong")
		if err := stranger.SetAPIBase(mg.APIBase()); err != nil {
			return err
		}
		_, err := stranger.GetDomain(ctx, domain, nil)
		return expect("status", mailgun.GetStatusFromErr(err), http.StatusUnauthorized)
	})
}

func messages() {
	from := "Ann <ann@" + domain + ">"
	var id string
	step("Send", func(ctx context.Context) error {
		m := mailgun.NewMessage(domain, from, "Hello %recipient.name%", "Dear %recipient.name%")
		m.SetHTML("<p>Dear %recipient.name%<img src=\"cid:dot.png\"></p>")
		for _, name := range []string{"bob", "carol"} {
			if err := m.AddRecipientAndVariables("ok+go-"+name+"@world.example", map[string]any{"name": name}); err != nil {
				return err
			}
		}
		m.AddBufferAttachment("a.txt", []byte("attached"))
		m.AddReaderInline("dot.png", io.NopCloser(strings.NewReader("not a picture")))
		m.AddHeader("X-Go", "yes")
		m.SetReplyTo("answers@" + domain)
		m.SetTracking(false)
		if err := errors.Join(m.AddTag("go", "sdk"), m.AddVariable("order", map[string]int{"number": 7})); err != nil {
			return err
		}
		sent, err := mg.Send(ctx, m)
		id = strings.Trim(sent.ID, "<>")
		return errors.Join(err, expect("message", sent.Message, "Queued. Thank you."), expect("brackets", sent.ID == "<"+id+">", true))
	})
	step("Send MIME", func(ctx context.Context) error {
		mime := "From: " + from + "\r\nTo: ok+go-mime@world.example\r\nSubject: MIME\r\n\r\nAs it is.\r\n"
		m := mailgun.NewMIMEMessage(domain, io.NopCloser(strings.NewReader(mime)), "ok+go-mime@world.example")
		sent, err := mg.Send(ctx, m)
		return errors.Join(err, expect("message", sent.Message, "Queued. Thank you."))
	})
	step("what is wrong is 400 and says so", func(ctx context.Context) error {
		_, err := mg.Send(ctx, mailgun.NewMessage(domain, from, "x", "x", "nobody"))
		var answer *mailgun.UnexpectedResponseError
		if !errors.As(err, &answer) {
			return fmt.Errorf("no answer: %w", err)
		}
		return errors.Join(expect("status", answer.Actual, http.StatusBadRequest), expect("text", strings.Contains(answer.String(), "'to'"), true))
	})

	var delivered *events.Delivered
	step("PollEvents", func(ctx context.Context) error {
		poller := mg.PollEvents(domain, &mailgun.ListEventOptions{
			PollInterval: 200 * time.Millisecond,
			Filter:       map[string]string{"message-id": id, "event": "delivered", "recipient": "ok+go-bob@world.example"},
		})
		var page []events.Event
		if !poller.Poll(ctx, &page) {
			return errors.Join(poller.Err(), errors.New("none came"))
		}
		var is bool
		if delivered, is = page[0].(*events.Delivered); !is {
			return fmt.Errorf("it is a %T", page[0])
		}
		return errors.Join(expect("recipient", delivered.Recipient, "ok+go-bob@world.example"),
			expect("id", delivered.Message.Headers.MessageID, id), expect("tags", strings.Join(delivered.Tags, ","), "go,sdk"))
	})
	step("ListEvents, to an empty page", func(ctx context.Context) error {
		it := mg.ListEvents(domain, &mailgun.ListEventOptions{Limit: 1, ForceAscending: true, Filter: map[string]string{"message-id": id}})
		var page []events.Event
		seen := 0
		for it.Next(ctx, &page) {
			seen += len(page)
		}
		return errors.Join(it.Err(), expect("at least accepted and delivered", seen >= 3, true))
	})
	if delivered == nil {
		return
	}
	url := delivered.Storage.URL
	step("GetStoredMessage and its attachment", func(ctx context.Context) error {
		stored, err := mg.GetStoredMessage(ctx, url)
		if err != nil {
			return err
		}
		for _, one := range stored.Attachments {
			if one.Name != "a.txt" {
				continue
			}
			octets, err := mg.GetStoredAttachment(ctx, one.URL)
			return errors.Join(err, expect("octets", string(octets), "attached"), expect("size", one.Size, len(octets)))
		}
		return fmt.Errorf("a.txt is not among %d attachments", len(stored.Attachments))
	})
	step("GetStoredMessageRaw", func(ctx context.Context) error {
		stored, err := mg.GetStoredMessageRaw(ctx, url)
		return errors.Join(err, expect("header", strings.Contains(stored.BodyMime, "X-Go: yes"), true))
	})
	step("ReSend", func(ctx context.Context) error {
		sent, err := mg.ReSend(ctx, url, "ok+go-again@world.example")
		return errors.Join(err, expect("message", sent.Message, "Queued. Thank you."))
	})
}

func bounces() {
	step("bounces", func(ctx context.Context) error {
		address := "a+b@world.example"
		if err := mg.AddBounce(ctx, domain, address, "550", "gone"); err != nil {
			return err
		}
		got, err := mg.GetBounce(ctx, domain, address)
		if err := errors.Join(err, expect("code", got.Code, "550")); err != nil {
			return err
		}
		it := mg.ListBounces(domain, &mailgun.ListOptions{Limit: 1})
		var page []mtypes.Bounce
		seen := 0
		for it.Next(ctx, &page) {
			seen += len(page)
		}
		return errors.Join(it.Err(), expect("listed", seen, 1), mg.DeleteBounce(ctx, domain, address), mg.DeleteBounceList(ctx, domain))
	})
}

func templates() {
	step("templates", func(ctx context.Context) error {
		made := &mtypes.Template{Name: "Go-Welcome", Description: "from Go",
			Version: mtypes.TemplateVersion{Tag: "one", Template: "Hello {{name}}", Engine: mtypes.TemplateEngineHandlebars, Comment: "first"}}
		if err := mg.CreateTemplate(ctx, domain, made); err != nil {
			return err
		}
		got, err := mg.GetTemplate(ctx, domain, "go-welcome")
		if err := errors.Join(err, expect("active", got.Version.Template, "Hello {{name}}")); err != nil {
			return err
		}
		second := &mtypes.TemplateVersion{Tag: "two", Template: "Bye {{name}}", Engine: mtypes.TemplateEngineHandlebars, Active: true}
		if err := mg.AddTemplateVersion(ctx, domain, "go-welcome", second); err != nil {
			return err
		}
		version, err := mg.GetTemplateVersion(ctx, domain, "go-welcome", "two")
		if err := errors.Join(err, expect("active", version.Active, true)); err != nil {
			return err
		}
		versions := mg.ListTemplateVersions(domain, "go-welcome", &mailgun.ListOptions{Limit: 1})
		var page []mtypes.TemplateVersion
		seen := 0
		for versions.Next(ctx, &page) {
			seen += len(page)
		}
		if err := errors.Join(versions.Err(), expect("versions", seen, 2)); err != nil {
			return err
		}
		m := mailgun.NewMessage(domain, "ann@"+domain, "A template", "", "ok+go-template@world.example")
		m.SetTemplate("go-welcome")
		if err := m.AddTemplateVariable("name", "Bob"); err != nil {
			return err
		}
		if _, err := mg.Send(ctx, m); err != nil {
			return err
		}
		it := mg.ListTemplates(domain, &mailgun.ListTemplateOptions{Limit: 1, Active: true})
		var found []mtypes.Template
		for it.Next(ctx, &found) {
			seen += len(found)
		}
		return errors.Join(it.Err(), expect("templates", seen, 3), mg.UpdateTemplate(ctx, domain, &mtypes.Template{Name: "go-welcome", Description: "changed"}),
			mg.UpdateTemplateVersion(ctx, domain, "go-welcome", &mtypes.TemplateVersion{Tag: "one", Comment: "changed", Active: true}),
			mg.DeleteTemplateVersion(ctx, domain, "go-welcome", "two"), mg.DeleteTemplate(ctx, domain, "go-welcome"))
	})
}

func lists() {
	step("mailing lists", func(ctx context.Context) error {
		address := "go@" + domain
		made, err := mg.CreateMailingList(ctx, mtypes.MailingList{Address: address, Name: "Go", AccessLevel: mtypes.AccessLevelReadOnly})
		if err := errors.Join(err, expect("address", made.Address, address), expect("created", time.Time(made.CreatedAt).IsZero(), false)); err != nil {
			return err
		}
		yes := true
		bob := mtypes.Member{Address: "ok+list@world.example", Name: "Bob", Subscribed: &yes, Vars: map[string]any{"city": "Bern"}}
		more := []any{mtypes.Member{Address: "ok+list2@world.example"}, "ok+list3@world.example"}
		if err := errors.Join(mg.CreateMember(ctx, true, address, bob), mg.CreateMemberList(ctx, nil, address, more)); err != nil {
			return err
		}
		got, err := mg.GetMember(ctx, bob.Address, address)
		if err := errors.Join(err, expect("name", got.Name, "Bob"), expect("city", got.Vars["city"], "Bern")); err != nil {
			return err
		}
		it := mg.ListMembers(address, &mailgun.ListOptions{Limit: 2})
		var page []mtypes.Member
		seen := 0
		for it.Next(ctx, &page) {
			seen += len(page)
		}
		list, err := mg.GetMailingList(ctx, address)
		if err := errors.Join(it.Err(), err, expect("members", seen, 3), expect("members_count", list.MembersCount, 3)); err != nil {
			return err
		}
		_, updated := mg.UpdateMember(ctx, bob.Address, address, mtypes.Member{Name: "Robert", Subscribed: &yes})
		_, renamed := mg.UpdateMailingList(ctx, address, mtypes.MailingList{Name: "Gophers"})
		all := mg.ListMailingLists(&mailgun.ListOptions{Limit: 1})
		var found []mtypes.MailingList
		counted := 0
		for all.Next(ctx, &found) {
			counted += len(found)
		}
		return errors.Join(updated, renamed, all.Err(), expect("lists", counted >= 1, true), mg.DeleteMember(ctx, bob.Address, address),
			mg.DeleteMailingList(ctx, address))
	})
}
