package view

// RowIcons names the icons that a row refers to.
func RowIcons(r AuditRow) []string { return usedIcons([]AuditRow{r}) }
