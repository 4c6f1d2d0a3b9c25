package mysql

// Queries are the texts of the reading statements, by method.
func Queries() map[string]string {
	texts := engine.Statements("")
	return texts.Reading()
}

// GaveUp and Refused are what the store asks of an error.
var GaveUp, Refused = engine.Retry, engine.Refused
