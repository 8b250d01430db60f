module lethe/sdks

go 1.24.0

require github.com/mailgun/mailgun-go/v5 v5.18.0

require (
	github.com/google/uuid v1.6.0 // indirect
	github.com/oapi-codegen/runtime v1.6.0 // indirect
)
