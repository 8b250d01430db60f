/**
 * What the vault keeps. Keys are opaque ids and keyed hashes; a secret is 40 bytes, wrapped. No column that holds one has
 * statistics: pg_statistic would keep a copy that no rewrite of the table removes.
 */
export const tables = `
create table vault.retention (
  class text primary key,
  bucket interval not null,
  max_age interval not null
);

create table vault.class_grant (
  role_name name not null,
  class text not null,
  primary key (role_name, class)
);

create table vault.account (
  account_id uuid primary key,
  secret bytea not null,
  pseudonym_key bytea not null,
  created_at timestamptz not null default now()
);

-- Ids and days only: nothing here opens anything, so it may keep its dead rows.
create table vault.subject (
  subject_id uuid primary key,
  account_id uuid not null,
  week date not null,
  last_used date not null,
  cut_off timestamptz
) with (fillfactor = 90);
create index subject_account on vault.subject (account_id);

-- The only place that leads from a pseudonym to a subject. Partitioned so that a rewrite is small.
create table vault.subject_name (
  account_id uuid not null,
  pseudonym bytea not null,
  subject_id uuid not null,
  primary key (account_id, pseudonym)
) partition by hash (pseudonym);
create index subject_name_subject on vault.subject_name (subject_id);

create table vault.subject_secret (
  week date not null,
  subject_id uuid not null,
  secret bytea not null,
  primary key (week, subject_id)
) partition by range (week);

create table vault.period_secret (
  class text not null references vault.retention,
  bucket text not null,
  secret bytea not null,
  forget_at timestamptz not null,
  primary key (class, bucket)
);

create table vault.content_key (
  drop_at timestamptz not null,
  message_id uuid not null,
  secret bytea not null,
  primary key (drop_at, message_id)
) partition by range (drop_at);

do $$
begin
  for remainder in 0..15 loop
    execute format(
      'create table vault.subject_name_%s partition of vault.subject_name for values with (modulus 16, remainder %s)',
      remainder, remainder);
  end loop;
end $$;
`;
