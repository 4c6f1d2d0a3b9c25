package mysql

// Queries are the texts of the reading statements, by method.
func Queries() map[string]string {
	texts := engine.Statements("")
	return texts.Reading()
}
